#include "model/gguf_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "model/gguf_parser.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {

std::string GgufTensor::shape_text() const {
  std::string text = fmt::format("[{}", columns());
  for (std::uint32_t i = 1; i < rank; ++i) text += fmt::format(", {}", dims[i]);
  return text + "]";
}

GgufFile GgufFile::open(const std::filesystem::path& path) {
  GgufFile file = open_part(path);
  if (const std::optional<GgufSplit> split = read_gguf_split(file)) {
    check_first_gguf_part(file, path, *split);
    file.join_parts(path, *split);
  }
  return file;
}

GgufFile GgufFile::open_part(const std::filesystem::path& path) {
  MappedFile mapping = MappedFile::open(path);
  const std::string name = path.string();
  GgufFile file = GgufParser(mapping.bytes(), name).parse();
  file.mapping_ = std::move(mapping);
  return file;
}

void GgufFile::join_parts(const std::filesystem::path& path, const GgufSplit& split) {
  for (std::uint64_t number = 1; number < split.count; ++number) {
    try {
      later_parts_.push_back(open_part(gguf_part_path(path, number, split.count)));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: part {} of {}: {}", printable(file_name_, 1024),
                                            number + 1, split.count, error.what()));
    }
    GgufFile& part = later_parts_.back();
    check_gguf_part(*this, split, part, number);
    for (GgufTensor& tensor : part.tensors_) {
      tensor.part = static_cast<std::uint32_t>(number);
      tensors_.push_back(tensor);
    }
    tensor_bytes_ += part.tensor_bytes_;
    num_empty_tensors_ += part.num_empty_tensors_;
    part.tensors_.clear();
    part.by_name_.clear();
  }
  const std::uint64_t num_tensors = tensors_.size() + num_empty_tensors_;
  if (num_tensors != split.num_tensors) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("{}: its {} parts have {} tensors, expected the {} of "
                    "split.tensors.count",
                    printable(file_name_, 1024), split.count, num_tensors, split.num_tensors));
  }
  index_tensors();
}

std::uint64_t GgufFile::file_bytes() const noexcept {
  std::uint64_t sum = bytes_.size();
  for (const GgufFile& part : later_parts_) sum += part.bytes_.size();
  return sum;
}

GgufFile GgufFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  return GgufParser(bytes, name).parse();
}

void GgufFile::index_tensors() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  const auto name_of = [this](std::uint32_t position) { return tensors_[position].name; };
  std::ranges::sort(by_name_, {}, name_of);
  const auto twin = std::ranges::adjacent_find(by_name_, {}, name_of);
  if (twin != by_name_.end()) {
    const GgufFile& second = part(std::max(tensors_[twin[0]].part, tensors_[twin[1]].part));
    const GgufFile& first = part(std::min(tensors_[twin[0]].part, tensors_[twin[1]].part));
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format(
            "{}: tensor \"{}\" appears more than once{}", printable(second.file_name_, 1024),
            printable(name_of(*twin)),
            &first == &second ? "" : ": it is in " + printable(first.file_name_, 1024) + " too"));
  }
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const noexcept {
  const auto name_of = [this](std::uint32_t position) { return tensors_[position].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found != by_name_.end() && name_of(*found) == name ? &tensors_[*found] : nullptr;
}

const GgufTensor& GgufFile::require_tensor(std::string_view name) const {
  if (const GgufTensor* const tensor = find_tensor(name)) return *tensor;
  throw Error(VERNAL_NOT_FOUND, fmt::format("{}: tensor \"{}\" is missing",
                                            printable(file_name_, 1024), printable(name)));
}

void GgufFile::advise(const GgufTensor& tensor, MappingAdvice advice) const noexcept {
  advise(tensor, tensor.data, advice);
}

void GgufFile::advise(const GgufTensor& tensor, std::span<const std::byte> part,
                      MappingAdvice advice) const noexcept {
  const GgufFile& owner = tensor.part == 0 ? *this : later_parts_[tensor.part - 1];
  if (owner.mapping_) owner.mapping_->advise(part, advice);
}

void GgufFile::advise_all(MappingAdvice advice) const noexcept {
  if (mapping_) mapping_->advise(mapping_->bytes(), advice);
  for (const GgufFile& part : later_parts_) part.advise_all(advice);
}

}  // namespace vernal

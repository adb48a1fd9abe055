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
  MappedFile mapping = MappedFile::open(path);
  const std::string name = path.string();
  GgufFile file = GgufParser(mapping.bytes(), name).parse();
  file.mapping_ = std::move(mapping);
  return file;
}

GgufFile GgufFile::parse(std::span<const std::byte> bytes, std::string name) {
  return GgufParser(bytes, name).parse();
}

void GgufFile::index_tensors() {
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  const auto name_of = [this](std::uint32_t position) { return tensors_[position].name; };
  std::ranges::sort(by_name_, {}, name_of);
  const auto twin = std::ranges::adjacent_find(by_name_, {}, name_of);
  if (twin != by_name_.end()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: tensor \"{}\" appears more than once", printable(file_name_, 1024),
                            printable(name_of(*twin))));
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
  if (mapping_) mapping_->advise(tensor.data, advice);
}

}  // namespace vernal

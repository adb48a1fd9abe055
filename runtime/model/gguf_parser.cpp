#include "model/gguf_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "model/printable.hpp"
#include "vernal/block_types.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kLeastAlignment = 8;

// The fewest bytes that a thing takes in the file: the length of a name, one byte of the name, and
// the fields of fixed size.
constexpr std::uint64_t kLeastEntryBytes = 8 + 1 + 4 + 1;  // kind, a value of one byte
constexpr std::uint64_t kLeastTensorBytes =
    8 + 1 + 4 + 8 + 4 + 8;  // rank, one dimension, type, offset
constexpr std::uint64_t kLeastStringBytes = 8;

/// The product; nothing if it overflows.
std::optional<std::uint64_t> checked_product(std::span<const std::uint64_t> factors) noexcept {
  std::uint64_t product = 1;
  for (const std::uint64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  }
  return product;
}

/// Whether some dimension is 0. Such a tensor is legal and has no data, so nothing can be wrong with
/// where it lies.
bool is_empty(const GgufTensor& tensor) noexcept {
  return std::ranges::find(tensor.dims, 0U) != tensor.dims.end();
}

}  // namespace

GgufFile GgufParser::parse() {
  check_magic_and_version();
  const std::uint64_t num_tensors =
      read_count("number of tensors", kLeastTensorBytes, GgufFile::kMaxTensors);
  const std::uint64_t num_entries =
      read_count("number of metadata entries", kLeastEntryBytes, GgufFile::kMaxEntries);

  GgufFile file(GgufMetadata(file_name_, read_entries(num_entries)));
  file.file_name_ = file_name_;
  file.bytes_ = bytes_;
  file.version_ = version_;
  file.alignment_ = alignment_of(file.metadata_);
  file.tensors_ = read_tensors(num_tensors);
  file.num_empty_tensors_ = num_tensors - file.tensors_.size();
  file.header_bytes_ = cursor_.offset();
  place_data(file);
  file.index_tensors();
  return file;
}

void GgufParser::check_magic_and_version() {
  const std::byte* const start = cursor_.read_elements(4, 1, "magic");
  const std::string_view magic(reinterpret_cast<const char*>(start), 4);
  if (magic != kMagic) {
    cursor_.refuse(
        VERNAL_INVALID_ARGUMENT, 0,
        fmt::format("not a GGUF file: expected \"{}\", found \"{}\"", kMagic, printable(magic)));
  }
  const std::uint64_t offset = cursor_.offset();
  version_ = cursor_.read_u32("version");
  if (version_ == 2 || version_ == 3) return;
  if (version_ == 1) {
    cursor_.refuse(
        VERNAL_UNSUPPORTED, offset,
        "version 1 of GGUF is not supported; convert the model again (versions 2 and 3 are)");
  }
  if ((version_ & 0xFFFFU) == 0 && version_ != 0) {
    cursor_.refuse(VERNAL_UNSUPPORTED, offset,
                   "the file is big-endian; convert it to little-endian");
  }
  cursor_.refuse(VERNAL_UNSUPPORTED, offset,
                 fmt::format("expected GGUF version 2 or 3, found {}", version_));
}

std::uint64_t GgufParser::read_count(std::string_view field, std::uint64_t least_bytes,
                                     std::uint64_t limit) {
  const std::uint64_t offset = cursor_.offset();
  const std::uint64_t count = cursor_.read_u64(field);
  check_count(offset, field, count, least_bytes);
  if (count > limit) {
    cursor_.refuse(VERNAL_INVALID_ARGUMENT, offset,
                   fmt::format("{} is {}, expected at most {}", field, count, limit));
  }
  return count;
}

void GgufParser::check_count(std::uint64_t offset, std::string_view field, std::uint64_t count,
                             std::uint64_t least_bytes) const {
  const std::uint64_t most = cursor_.bytes_left() / least_bytes;
  if (count > most) {
    cursor_.refuse(VERNAL_INVALID_ARGUMENT, offset,
                   fmt::format("{} is {}, but the {} bytes that follow hold at most {}", field,
                               count, cursor_.bytes_left(), most));
  }
}

std::string_view GgufParser::read_name() {
  const std::uint64_t offset = cursor_.offset();
  const std::string_view name = cursor_.read_string("name");
  if (name.empty() || name.size() > GgufFile::kMaxNameBytes) {
    cursor_.refuse(VERNAL_INVALID_ARGUMENT, offset,
                   fmt::format("expected a name of 1 to {} bytes, found {}",
                               GgufFile::kMaxNameBytes, name.size()));
  }
  cursor_.set_subject_name(name);
  return name;
}

std::vector<GgufEntry> GgufParser::read_entries(std::uint64_t count) {
  std::vector<GgufEntry> entries;
  entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor_.set_subject("metadata entry", i);
    entries.push_back(read_entry());
  }
  return entries;
}

GgufEntry GgufParser::read_entry() {
  GgufEntry entry{};
  entry.key = read_name();
  entry.kind = read_kind("kind");
  entry.element_kind = entry.kind;
  entry.num_elements = 1;
  if (entry.is_array()) {
    const std::uint64_t kind_offset = cursor_.offset();
    entry.element_kind = read_kind("kind of the elements");
    if (entry.element_kind == GgufKind::kArray) {
      cursor_.refuse(VERNAL_INVALID_ARGUMENT, kind_offset, "arrays of arrays are not supported");
    }
    const std::uint64_t count_offset = cursor_.offset();
    entry.num_elements = cursor_.read_u64("number of elements");
    const bool is_text = entry.element_kind == GgufKind::kString;
    check_count(count_offset, "number of elements", entry.num_elements,
                is_text ? kLeastStringBytes : gguf_kind_bytes(entry.element_kind));
  }
  read_value(entry);
  return entry;
}

GgufKind GgufParser::read_kind(std::string_view field) {
  constexpr std::uint32_t kLast = static_cast<std::uint32_t>(GgufKind::kFloat64);
  const std::uint64_t offset = cursor_.offset();
  const std::uint32_t number = cursor_.read_u32(field);
  if (number > kLast) {
    cursor_.refuse(VERNAL_INVALID_ARGUMENT, offset,
                   fmt::format("{} is {}, expected 0 to {}", field, number, kLast));
  }
  return static_cast<GgufKind>(number);
}

void GgufParser::read_value(GgufEntry& entry) {
  const std::uint64_t offset = cursor_.offset();
  entry.data = bytes_.data() + offset;
  if (entry.element_kind == GgufKind::kString) {
    for (std::uint64_t i = 0; i < entry.num_elements; ++i) cursor_.read_string("string");
    return;
  }
  cursor_.read_elements(entry.num_elements, gguf_kind_bytes(entry.element_kind), "value");
  if (entry.element_kind == GgufKind::kBool) check_bools(entry, offset);
}

void GgufParser::check_bools(const GgufEntry& entry, std::uint64_t offset) const {
  for (std::uint64_t i = 0; i < entry.num_elements; ++i) {
    const auto found = std::to_integer<std::uint32_t>(entry.data[i]);
    if (found > 1) {
      cursor_.refuse(VERNAL_INVALID_ARGUMENT, offset + i,
                     fmt::format("expected a bool, 0 or 1, found {}", found));
    }
  }
}

std::uint64_t GgufParser::alignment_of(const GgufMetadata& metadata) const {
  const GgufEntry* const entry = metadata.find(kAlignmentKey);
  if (entry == nullptr) return kDefaultAlignment;
  if (entry->kind != GgufKind::kUint32) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: metadata key \"{}\": expected a u32, found {} {}",
                            printable(file_name_, 1024), kAlignmentKey, entry->type_name(),
                            entry->value_text(4)));
  }
  const auto alignment = static_cast<std::uint64_t>(metadata.require_integer(kAlignmentKey));
  const bool is_in_range = alignment >= kLeastAlignment && alignment <= GgufFile::kMaxAlignment;
  if (!is_in_range || !std::has_single_bit(alignment)) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("{}: metadata key \"{}\": expected a power of two from {} to {}, found {}",
                    printable(file_name_, 1024), kAlignmentKey, kLeastAlignment,
                    GgufFile::kMaxAlignment, alignment));
  }
  return alignment;
}

std::vector<GgufTensor> GgufParser::read_tensors(std::uint64_t count) {
  // The metadata was read since the count: fewer bytes are left.
  check_count(cursor_.offset(), "number of tensors", count, kLeastTensorBytes);
  std::vector<GgufTensor> tensors;
  tensors.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor_.set_subject("tensor", i);
    const GgufTensor tensor = read_tensor();
    if (!is_empty(tensor)) tensors.push_back(tensor);
  }
  return tensors;
}

GgufTensor GgufParser::read_tensor() {
  GgufTensor tensor{};
  tensor.name = read_name();
  read_shape(tensor);
  read_type(tensor);
  tensor.offset = cursor_.read_u64("offset");
  return tensor;
}

void GgufParser::read_shape(GgufTensor& tensor) {
  const std::uint64_t rank_offset = cursor_.offset();
  tensor.rank = cursor_.read_u32("number of dimensions");
  if (tensor.rank < 1 || tensor.rank > tensor.dims.size()) {
    cursor_.refuse(
        VERNAL_INVALID_ARGUMENT, rank_offset,
        fmt::format("expected 1 to {} dimensions, found {}", tensor.dims.size(), tensor.rank));
  }
  tensor.dims.fill(1);
  for (std::uint32_t i = 0; i < tensor.rank; ++i) {
    tensor.dims[i] = cursor_.read_u64("dimension");
  }
}

void GgufParser::read_type(GgufTensor& tensor) {
  const std::uint64_t offset = cursor_.offset();
  const std::uint32_t number = cursor_.read_u32("type");
  tensor.type = find_block_type(number);
  if (tensor.type == nullptr) {
    cursor_.refuse(VERNAL_UNSUPPORTED, offset, fmt::format("tensor type {} is not known", number));
  }
  if (!is_empty(tensor) && !tensor.type->accepts_columns(tensor.columns())) {
    cursor_.refuse(
        VERNAL_INVALID_ARGUMENT, offset,
        fmt::format("a row of {} columns cannot be {}, which takes multiples of {} up to {}",
                    tensor.columns(), tensor.type->name, tensor.type->weights_per_block,
                    BlockType::kMaxColumns));
  }
}

std::uint64_t GgufParser::tensor_bytes(const GgufTensor& tensor) const {
  const auto bytes = checked_product(
      std::array{tensor.row_bytes(), tensor.dims[1], tensor.dims[2], tensor.dims[3]});
  // A product that overflows is as impossible as one beyond the end of the file.
  if (!bytes || *bytes > bytes_.size()) {
    refuse_tensor(tensor, fmt::format("shape {} of {} takes more than the {} bytes of the file",
                                      tensor.shape_text(), tensor.type->name, bytes_.size()));
  }
  return *bytes;
}

void GgufParser::place_data(GgufFile& file) const {
  const std::uint64_t mask = file.alignment_ - 1;
  file.data_start_ = (file.header_bytes_ + mask) & ~mask;
  for (GgufTensor& tensor : file.tensors_) {
    place_tensor(tensor, file);
    file.tensor_bytes_ += tensor.bytes();
  }
  check_overlaps(file.tensors_);
}

void GgufParser::place_tensor(GgufTensor& tensor, const GgufFile& file) const {
  const std::uint64_t needed = tensor_bytes(tensor);
  if (tensor.offset % file.alignment_ != 0) {
    refuse_tensor(tensor, fmt::format("offset {} is not a multiple of the alignment {}",
                                      tensor.offset, file.alignment_));
  }
  const std::uint64_t section =
      bytes_.size() > file.data_start_ ? bytes_.size() - file.data_start_ : 0;
  if (tensor.offset > section || needed > section - tensor.offset) {
    refuse_tensor(
        tensor,
        fmt::format("{} bytes of data at offset {} lie beyond the end of the file: the data "
                    "section starts at byte {} and has {} bytes (truncated download?)",
                    needed, tensor.offset, file.data_start_, section));
  }
  tensor.data = bytes_.subspan(file.data_start_ + tensor.offset, needed);
}

void GgufParser::check_overlaps(const std::vector<GgufTensor>& tensors) const {
  std::vector<std::uint32_t> by_offset(tensors.size());
  std::iota(by_offset.begin(), by_offset.end(), 0U);
  std::ranges::sort(by_offset, {}, [&](std::uint32_t i) { return tensors[i].offset; });
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    const GgufTensor& before = tensors[by_offset[i - 1]];
    const GgufTensor& after = tensors[by_offset[i]];
    if (after.offset - before.offset < before.bytes()) {
      refuse_tensor(
          after, fmt::format("data at offset {} overlaps tensor \"{}\", {} bytes at {}",
                             after.offset, printable(before.name), before.bytes(), before.offset));
    }
  }
}

void GgufParser::refuse_tensor(const GgufTensor& tensor, std::string_view finding) const {
  throw Error(VERNAL_INVALID_ARGUMENT,
              fmt::format("{}: tensor \"{}\": {}", printable(file_name_, 1024),
                          printable(tensor.name), finding));
}

}  // namespace vernal

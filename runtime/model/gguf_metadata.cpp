#include "model/gguf_metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "model/gguf_cursor.hpp"
#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

std::optional<std::int64_t> integer_at(GgufKind kind, const std::byte* data) noexcept {
  switch (kind) {
    case GgufKind::kUint8:
      return load_number<std::uint8_t>(data);
    case GgufKind::kInt8:
      return load_number<std::int8_t>(data);
    case GgufKind::kUint16:
      return load_number<std::uint16_t>(data);
    case GgufKind::kInt16:
      return load_number<std::int16_t>(data);
    case GgufKind::kUint32:
      return load_number<std::uint32_t>(data);
    case GgufKind::kInt32:
      return load_number<std::int32_t>(data);
    case GgufKind::kInt64:
      return load_number<std::int64_t>(data);
    case GgufKind::kUint64:
      break;
    default:
      return std::nullopt;
  }
  const auto number = load_number<std::uint64_t>(data);
  if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<double> float_at(GgufKind kind, const std::byte* data) noexcept {
  switch (kind) {
    case GgufKind::kFloat32:
      return load_number<float>(data);
    case GgufKind::kFloat64:
      return load_number<double>(data);
    case GgufKind::kUint64:
      return static_cast<double>(load_number<std::uint64_t>(data));
    default:
      break;
  }
  const std::optional<std::int64_t> integer = integer_at(kind, data);
  if (!integer) return std::nullopt;
  return static_cast<double>(*integer);
}

std::optional<bool> bool_at(GgufKind kind, const std::byte* data) noexcept {
  if (kind != GgufKind::kBool) return std::nullopt;
  return *data != std::byte{0};
}

std::optional<std::string_view> string_at(GgufKind kind, const std::byte* data) noexcept {
  if (kind != GgufKind::kString) return std::nullopt;
  const auto length = load_number<std::uint64_t>(data);
  return std::string_view{reinterpret_cast<const char*>(data + sizeof length), length};
}

/// Bytes of the element at `data`, which was checked when the file was opened.
std::uint64_t element_bytes(GgufKind kind, const std::byte* data) noexcept {
  if (kind != GgufKind::kString) return gguf_kind_bytes(kind);
  return sizeof(std::uint64_t) + load_number<std::uint64_t>(data);
}

template <typename Value, typename Read>
std::optional<Value> read_scalar(const GgufEntry& entry, Read read) {
  if (entry.is_array()) return std::nullopt;
  return read(entry.kind, entry.data);
}

template <typename Value, typename Read>
std::optional<std::vector<Value>> read_array(const GgufEntry& entry, Read read) {
  if (!entry.is_array()) return std::nullopt;
  // All elements are of one kind. If the first one is of a wrong kind, no memory is taken.
  if (entry.num_elements != 0 && !read(entry.element_kind, entry.data)) return std::nullopt;
  std::vector<Value> values;
  values.reserve(entry.num_elements);
  const std::byte* data = entry.data;
  for (std::uint64_t i = 0; i < entry.num_elements; ++i) {
    const std::optional<Value> value = read(entry.element_kind, data);
    if (!value) return std::nullopt;
    values.push_back(*value);
    data += element_bytes(entry.element_kind, data);
  }
  return values;
}

std::string element_text(GgufKind kind, const std::byte* data) {
  if (const auto text = string_at(kind, data)) return fmt::format("\"{}\"", printable(*text));
  if (const auto truth = bool_at(kind, data)) return *truth ? "true" : "false";
  if (const auto integer = integer_at(kind, data)) return fmt::format("{}", *integer);
  if (kind == GgufKind::kUint64) return fmt::format("{}", load_number<std::uint64_t>(data));
  return fmt::format("{}", *float_at(kind, data));
}

}  // namespace

std::string_view gguf_kind_name(GgufKind kind) noexcept {
  switch (kind) {
    case GgufKind::kUint8:
      return "u8";
    case GgufKind::kInt8:
      return "i8";
    case GgufKind::kUint16:
      return "u16";
    case GgufKind::kInt16:
      return "i16";
    case GgufKind::kUint32:
      return "u32";
    case GgufKind::kInt32:
      return "i32";
    case GgufKind::kFloat32:
      return "f32";
    case GgufKind::kBool:
      return "bool";
    case GgufKind::kString:
      return "string";
    case GgufKind::kArray:
      return "array";
    case GgufKind::kUint64:
      return "u64";
    case GgufKind::kInt64:
      return "i64";
    case GgufKind::kFloat64:
      return "f64";
  }
  return "unknown";
}

std::uint64_t gguf_kind_bytes(GgufKind kind) noexcept {
  switch (kind) {
    case GgufKind::kUint8:
    case GgufKind::kInt8:
    case GgufKind::kBool:
      return 1;
    case GgufKind::kUint16:
    case GgufKind::kInt16:
      return 2;
    case GgufKind::kUint32:
    case GgufKind::kInt32:
    case GgufKind::kFloat32:
      return 4;
    case GgufKind::kUint64:
    case GgufKind::kInt64:
    case GgufKind::kFloat64:
      return 8;
    case GgufKind::kString:
    case GgufKind::kArray:
      break;
  }
  return 0;
}

std::string GgufEntry::type_name() const {
  if (!is_array()) return std::string(gguf_kind_name(kind));
  return fmt::format("array of {} {}", num_elements, gguf_kind_name(element_kind));
}

std::string GgufEntry::value_text(std::uint64_t max_elements) const {
  if (!is_array()) return element_text(kind, data);
  std::string text = "[";
  const std::byte* element = data;
  const std::uint64_t shown = std::min(num_elements, max_elements);
  for (std::uint64_t i = 0; i < shown; ++i) {
    if (i != 0) text += ", ";
    text += element_text(element_kind, element);
    element += element_bytes(element_kind, element);
  }
  if (shown < num_elements) text += shown == 0 ? "..." : ", ...";
  return text + "]";
}

std::optional<std::int64_t> GgufEntry::as_integer() const noexcept {
  return read_scalar<std::int64_t>(*this, integer_at);
}
std::optional<double> GgufEntry::as_float() const noexcept {
  return read_scalar<double>(*this, float_at);
}
std::optional<bool> GgufEntry::as_bool() const noexcept {
  return read_scalar<bool>(*this, bool_at);
}
std::optional<std::string_view> GgufEntry::as_string() const noexcept {
  return read_scalar<std::string_view>(*this, string_at);
}
std::optional<std::vector<std::int64_t>> GgufEntry::as_integers() const {
  return read_array<std::int64_t>(*this, integer_at);
}
std::optional<std::vector<double>> GgufEntry::as_floats() const {
  return read_array<double>(*this, float_at);
}
std::optional<std::vector<bool>> GgufEntry::as_bools() const {
  return read_array<bool>(*this, bool_at);
}
std::optional<std::vector<std::string_view>> GgufEntry::as_strings() const {
  return read_array<std::string_view>(*this, string_at);
}

GgufMetadata::GgufMetadata(std::string file_name, std::vector<GgufEntry> entries)
    : file_name_(std::move(file_name)), entries_(std::move(entries)), by_key_(entries_.size()) {
  std::iota(by_key_.begin(), by_key_.end(), 0U);
  const auto key_of = [this](std::uint32_t position) { return entries_[position].key; };
  std::ranges::sort(by_key_, {}, key_of);
  const auto twin = std::ranges::adjacent_find(by_key_, {}, key_of);
  if (twin != by_key_.end()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: metadata key \"{}\" appears more than once",
                            printable(file_name_, 1024), printable(key_of(*twin))));
  }
}

const GgufEntry* GgufMetadata::find(std::string_view key) const noexcept {
  const auto key_of = [this](std::uint32_t position) { return entries_[position].key; };
  const auto found = std::ranges::lower_bound(by_key_, key, {}, key_of);
  return found != by_key_.end() && key_of(*found) == key ? &entries_[*found] : nullptr;
}

template <typename Value>
std::optional<Value> GgufMetadata::find_as(std::string_view key,
                                           std::optional<Value> (GgufEntry::*read)() const,
                                           std::string_view expected) const {
  const GgufEntry* const entry = find(key);
  if (entry == nullptr) return std::nullopt;
  std::optional<Value> value = (entry->*read)();
  if (!value) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: metadata key \"{}\": expected {}, found {} {}",
                            printable(file_name_, 1024), printable(key), expected,
                            entry->type_name(), entry->value_text(4)));
  }
  return value;
}

template <typename Value>
Value GgufMetadata::require_as(std::string_view key, std::optional<Value> found,
                               std::string_view expected) const {
  if (!found) {
    throw Error(VERNAL_NOT_FOUND,
                fmt::format("{}: metadata key \"{}\" is missing; expected {}",
                            printable(file_name_, 1024), printable(key), expected));
  }
  return *std::move(found);
}

namespace {
constexpr std::string_view kInteger = "an integer that fits 64 bits with sign";
constexpr std::string_view kFloat = "a number";
constexpr std::string_view kBool = "a bool";
constexpr std::string_view kString = "a string";
constexpr std::string_view kIntegerArray = "an array of integers that fit 64 bits with sign";
constexpr std::string_view kFloatArray = "an array of numbers";
constexpr std::string_view kBoolArray = "an array of bools";
constexpr std::string_view kStringArray = "an array of strings";
}  // namespace

std::optional<std::int64_t> GgufMetadata::find_integer(std::string_view key) const {
  return find_as<std::int64_t>(key, &GgufEntry::as_integer, kInteger);
}
std::optional<double> GgufMetadata::find_float(std::string_view key) const {
  return find_as<double>(key, &GgufEntry::as_float, kFloat);
}
std::optional<bool> GgufMetadata::find_bool(std::string_view key) const {
  return find_as<bool>(key, &GgufEntry::as_bool, kBool);
}
std::optional<std::string_view> GgufMetadata::find_string(std::string_view key) const {
  return find_as<std::string_view>(key, &GgufEntry::as_string, kString);
}
std::optional<std::vector<std::int64_t>> GgufMetadata::find_integer_array(
    std::string_view key) const {
  return find_as<std::vector<std::int64_t>>(key, &GgufEntry::as_integers, kIntegerArray);
}
std::optional<std::vector<double>> GgufMetadata::find_float_array(std::string_view key) const {
  return find_as<std::vector<double>>(key, &GgufEntry::as_floats, kFloatArray);
}
std::optional<std::vector<bool>> GgufMetadata::find_bool_array(std::string_view key) const {
  return find_as<std::vector<bool>>(key, &GgufEntry::as_bools, kBoolArray);
}
std::optional<std::vector<std::string_view>> GgufMetadata::find_string_array(
    std::string_view key) const {
  return find_as<std::vector<std::string_view>>(key, &GgufEntry::as_strings, kStringArray);
}

std::int64_t GgufMetadata::require_integer(std::string_view key) const {
  return require_as(key, find_integer(key), kInteger);
}
double GgufMetadata::require_float(std::string_view key) const {
  return require_as(key, find_float(key), kFloat);
}
bool GgufMetadata::require_bool(std::string_view key) const {
  return require_as(key, find_bool(key), kBool);
}
std::string_view GgufMetadata::require_string(std::string_view key) const {
  return require_as(key, find_string(key), kString);
}
std::vector<std::int64_t> GgufMetadata::require_integer_array(std::string_view key) const {
  return require_as(key, find_integer_array(key), kIntegerArray);
}
std::vector<double> GgufMetadata::require_float_array(std::string_view key) const {
  return require_as(key, find_float_array(key), kFloatArray);
}
std::vector<bool> GgufMetadata::require_bool_array(std::string_view key) const {
  return require_as(key, find_bool_array(key), kBoolArray);
}
std::vector<std::string_view> GgufMetadata::require_string_array(std::string_view key) const {
  return require_as(key, find_string_array(key), kStringArray);
}

}  // namespace vernal

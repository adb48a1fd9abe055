// The metadata of a GGUF file: an ordered list of keys with typed values, read in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernal {

/// The kind of a metadata value, with the numbers of the file format.
enum class GgufKind : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

/// The name of a kind for messages and listings: "u8", "string", "array", ...
std::string_view gguf_kind_name(GgufKind kind) noexcept;

/// The bytes of a number or bool in the file. 0 for strings and arrays, whose size varies.
std::uint64_t gguf_kind_bytes(GgufKind kind) noexcept;

/// One key and its value. It is a view of the file's bytes and valid as long as they are. They were
/// checked when the file was opened: lengths are right, bools are 0 or 1, and arrays hold only
/// numbers, bools or strings.
struct GgufEntry {
  std::string_view key;        ///< as stored: any bytes, so print it through printable()
  GgufKind kind;               ///< kArray for arrays
  GgufKind element_kind;       ///< kind of an array's elements; equals `kind` for everything else
  std::uint64_t num_elements;  ///< elements of an array; 1 for everything else
  const std::byte* data;       ///< the first element; a string is its length as u64, then its bytes

  bool is_array() const noexcept { return kind == GgufKind::kArray; }

  /// The type for messages: "u32", "string", "array of 5 i32".
  std::string type_name() const;
  /// The value for listings: "128", "\"text\"", "[1, 2, ...]". Shows at most `max_elements` of an
  /// array. Strings are escaped and shortened.
  std::string value_text(std::uint64_t max_elements = 8) const;

  /// The value, if it is an integer of any kind that fits in an int64.
  std::optional<std::int64_t> as_integer() const noexcept;
  /// The value, if it is f32, f64 or an integer.
  std::optional<double> as_float() const noexcept;
  std::optional<bool> as_bool() const noexcept;
  /// The text may hold any bytes, also such that are not UTF-8.
  std::optional<std::string_view> as_string() const noexcept;

  /// The elements, if this is an array of the right kind, or an empty array of any kind.
  ///   as_integers   integers that fit in an int64
  ///   as_floats     floats or integers
  ///   as_bools      bools
  ///   as_strings    strings, as views of the file's bytes
  /// An element takes 8 bytes, a string 16. A file may claim any number of elements: look at
  /// num_elements first.
  std::optional<std::vector<std::int64_t>> as_integers() const;
  std::optional<std::vector<double>> as_floats() const;
  std::optional<std::vector<bool>> as_bools() const;
  std::optional<std::vector<std::string_view>> as_strings() const;
};

/// All entries of one file, in the file's order. A lookup by key takes time log n. For an absent
/// key, find_* returns nothing and require_* throws. Both throw if the value is of another kind.
/// Errors   VERNAL_NOT_FOUND: require_* of an absent key
///          VERNAL_INVALID_ARGUMENT: the value is of another kind, or an integer that does not fit
///          in an int64
///          The message names the file, the key, what was expected and what was found.
/// Thread   any; immutable
class GgufMetadata {
 public:
  /// Takes the entries of one file; `file_name` is for messages.
  /// Errors   VERNAL_INVALID_ARGUMENT: two entries have the same key
  GgufMetadata(std::string file_name, std::vector<GgufEntry> entries);

  /// The entries in the file's order.
  std::span<const GgufEntry> entries() const noexcept { return entries_; }
  std::uint64_t size() const noexcept { return entries_.size(); }

  /// The entry of `key`, or null. It lives as long as this object.
  const GgufEntry* find(std::string_view key) const noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }

  std::optional<std::int64_t> find_integer(std::string_view key) const;
  std::optional<double> find_float(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::string_view> find_string(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> find_integer_array(std::string_view key) const;
  std::optional<std::vector<double>> find_float_array(std::string_view key) const;
  std::optional<std::vector<bool>> find_bool_array(std::string_view key) const;
  /// The strings are views of the file's bytes.
  std::optional<std::vector<std::string_view>> find_string_array(std::string_view key) const;

  std::int64_t require_integer(std::string_view key) const;
  double require_float(std::string_view key) const;
  bool require_bool(std::string_view key) const;
  std::string_view require_string(std::string_view key) const;
  std::vector<std::int64_t> require_integer_array(std::string_view key) const;
  std::vector<double> require_float_array(std::string_view key) const;
  std::vector<bool> require_bool_array(std::string_view key) const;
  std::vector<std::string_view> require_string_array(std::string_view key) const;

 private:
  template <typename Value>
  std::optional<Value> find_as(std::string_view key,
                               std::optional<Value> (GgufEntry::*read)() const,
                               std::string_view expected) const;
  template <typename Value>
  Value require_as(std::string_view key, std::optional<Value> found,
                   std::string_view expected) const;

  std::string file_name_;
  std::vector<GgufEntry> entries_;
  std::vector<std::uint32_t> by_key_;  // positions in entries_, sorted by key
};

}  // namespace vernal

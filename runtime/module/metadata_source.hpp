// The metadata of a model file of any format, as the interface's metadata table reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vernal {

/// Read access to keys and values. An absent key gives nothing. Control thread.
/// Errors   VERNAL_INVALID_ARGUMENT: the key has another type, or the index is beyond the array
class MetadataSource {
 public:
  MetadataSource() = default;
  MetadataSource(const MetadataSource&) = delete;
  MetadataSource& operator=(const MetadataSource&) = delete;
  virtual ~MetadataSource() = default;

  virtual std::optional<std::int64_t> find_integer(std::string_view key) const = 0;
  /// An integer is converted.
  virtual std::optional<double> find_float(std::string_view key) const = 0;
  virtual std::optional<bool> find_bool(std::string_view key) const = 0;
  /// The text may hold any bytes. It lives as long as the source.
  virtual std::optional<std::string_view> find_string(std::string_view key) const = 0;
  /// The number of elements of an array.
  virtual std::optional<std::uint64_t> find_array(std::string_view key) const = 0;
  /// An element of an array of integers or bools; bools become 0 and 1.
  virtual std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                         std::uint64_t index) const = 0;
  /// An element of an array of floats or integers.
  virtual std::optional<double> find_array_float(std::string_view key,
                                                 std::uint64_t index) const = 0;
};

}  // namespace vernal

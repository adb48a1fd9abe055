// Metadata of a model file, whatever its format: what the interface's metadata table reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vernal {

/// Read access to keys and values. Control thread. An absent key gives nothing.
/// Errors   VERNAL_INVALID_ARGUMENT: the key is there with another type, or an index is out of
/// range.
class MetadataSource {
 public:
  MetadataSource() = default;
  MetadataSource(const MetadataSource&) = delete;
  MetadataSource& operator=(const MetadataSource&) = delete;
  virtual ~MetadataSource() = default;

  virtual std::optional<std::int64_t> find_integer(std::string_view key) const = 0;
  /// Integers too.
  virtual std::optional<double> find_float(std::string_view key) const = 0;
  virtual std::optional<bool> find_bool(std::string_view key) const = 0;
  /// Any bytes; lives as long as the source.
  virtual std::optional<std::string_view> find_string(std::string_view key) const = 0;
  /// Number of elements.
  virtual std::optional<std::uint64_t> find_array(std::string_view key) const = 0;
  /// Element of an array of integers or bools (0 and 1).
  virtual std::optional<std::int64_t> find_array_integer(std::string_view key,
                                                         std::uint64_t index) const = 0;
  /// Element of an array of floats or integers.
  virtual std::optional<double> find_array_float(std::string_view key,
                                                 std::uint64_t index) const = 0;
};

}  // namespace vernal

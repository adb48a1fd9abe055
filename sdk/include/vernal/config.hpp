// A plugin's configuration in C++: the rows of its schema, and typed access to its table.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/host.hpp"

namespace vernal {

/// One row of a schema; abi/config.h says what each field means. Text is borrowed: use string
/// literals.
struct ConfigRow {
  std::string_view path;
  std::uint32_t type;
  std::string_view help;
  std::string_view default_value = {};
  std::uint32_t flags = 0;
  double minimum = 1;  // minimum > maximum: no bounds
  double maximum = 0;
  std::string_view choices = {};
};

/// The row as the interface wants it. Its text is that of `row`.
constexpr vernal_config_row to_abi(const ConfigRow& row) {
  vernal_config_row out{};
  out.struct_size = sizeof(vernal_config_row);
  out.path = {row.path.data(), row.path.size()};
  out.default_value = {row.default_value.data(), row.default_value.size()};
  out.choices = {row.choices.data(), row.choices.size()};
  out.help = {row.help.data(), row.help.size()};
  out.minimum = row.minimum;
  out.maximum = row.maximum;
  out.type = row.type;
  out.flags = row.flags;
  return out;
}

/// Typed read access to the validated table of an instance, with defaults filled in. A find_*
/// function returns nothing for a key that is absent and has no default.
///   Thread     control
///   Lifetime   the call it was passed to; results are copies
///   Errors     INVALID_ARGUMENT: the schema gives the key another type
class Config {
 public:
  explicit Config(vernal_config_view view)
      : config_(view.config), api_(adopt_table(view.api, "vernal_config_api")) {}

  std::optional<bool> find_bool(std::string_view path) const {
    std::uint32_t value = 0;
    if (!found(api_.get_bool(config_, to_str(path), &value), path)) return std::nullopt;
    return value != 0;
  }
  std::optional<std::int64_t> find_int(std::string_view path) const {
    std::int64_t value = 0;
    if (!found(api_.get_int(config_, to_str(path), &value), path)) return std::nullopt;
    return value;
  }
  std::optional<double> find_float(std::string_view path) const {
    double value = 0;
    if (!found(api_.get_float(config_, to_str(path), &value), path)) return std::nullopt;
    return value;
  }
  /// For STRING, PATH (an absolute path) and ENUM.
  std::optional<std::string> find_string(std::string_view path) const {
    vernal_str value{};
    if (!found(api_.get_string(config_, to_str(path), &value), path)) return std::nullopt;
    return std::string(view(value));
  }
  /// For SIZE, in bytes.
  std::optional<std::uint64_t> find_size(std::string_view path) const {
    std::uint64_t value = 0;
    if (!found(api_.get_size(config_, to_str(path), &value), path)) return std::nullopt;
    return value;
  }
  /// For DURATION, in milliseconds.
  std::optional<std::uint64_t> find_duration_ms(std::string_view path) const {
    std::uint64_t value = 0;
    if (!found(api_.get_duration(config_, to_str(path), &value), path)) return std::nullopt;
    return value;
  }
  /// For STRING_LIST; empty if the key is absent.
  std::vector<std::string> strings(std::string_view path) const {
    std::uint64_t count = 0;
    std::vector<std::string> values;
    if (!found(api_.list_size(config_, to_str(path), &count), path)) return values;
    for (std::uint64_t i = 0; i < count; ++i) {
      vernal_str value{};
      plugin_host().check(api_.list_string(config_, to_str(path), i, &value), path);
      values.emplace_back(view(value));
    }
    return values;
  }
  /// For INT_LIST; empty if the key is absent.
  std::vector<std::int64_t> integers(std::string_view path) const {
    std::uint64_t count = 0;
    std::vector<std::int64_t> values;
    if (!found(api_.list_size(config_, to_str(path), &count), path)) return values;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::int64_t value = 0;
      plugin_host().check(api_.list_int(config_, to_str(path), i, &value), path);
      values.push_back(value);
    }
    return values;
  }

  /// The name of the table: "frontends.http".
  std::string name() const {
    vernal_str value{};
    plugin_host().check(api_.name(config_, &value), "config name");
    return std::string(view(value));
  }
  /// "file:line:column" of a key, for messages; of the table if the key is absent.
  std::string origin(std::string_view path) const {
    vernal_str value{};
    plugin_host().check(api_.origin(config_, to_str(path), &value), path);
    return std::string(view(value));
  }

 private:
  bool found(std::int32_t status, std::string_view path) const {
    if (status == VERNAL_NOT_FOUND) return false;
    plugin_host().check(status, path);
    return true;
  }

  const vernal_config* config_;
  vernal_config_api api_;
};

}  // namespace vernal

// The validated configuration of one plugin instance, and how the plugin sees it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "config/source_place.hpp"
#include "vernal/abi/config.h"

namespace vernal {

/// A copy of one row of a plugin's schema. vernal_config_row explains the members.
struct SchemaRow {
  std::string path;
  std::string default_value;  // TOML text
  std::vector<std::string> choices;
  std::string deprecated_by;
  std::string help;
  double minimum = 1;
  double maximum = 0;
  std::uint32_t type = 0;
  std::uint32_t flags = 0;

  bool has_bounds() const noexcept { return minimum <= maximum; }
};

/// Copies the rows of a plugin.
std::vector<SchemaRow> read_schema(const vernal_config_row* rows, std::uint64_t count,
                                   std::uint64_t stride);

/// A value as the plugin sees it. Sizes are int64 in bytes, durations int64 in milliseconds.
using SettingValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                                  std::vector<std::int64_t>>;

/// The validated keys of one table, with defaults for those that are absent. Does not change after
/// validation.
struct PluginSettings {
  struct Entry {
    std::uint32_t type = 0;  // VERNAL_CONFIG_*
    SettingValue value;
    std::string origin;  // "file:line:column"
  };

  std::string table;  // "frontends.http"
  std::string origin;
  std::map<std::string, Entry> entries;
};

/// What the plugin gets. Valid while `settings` lives and is not moved.
vernal_config_view config_view(const PluginSettings& settings);

}  // namespace vernal

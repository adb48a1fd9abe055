// Validated configuration of one plugin instance, and the view of it that crosses the plugin
// interface.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "config/source_place.hpp"
#include "vernal/abi/config.h"

namespace vernal {

/// One row of a plugin's schema, owned. Meaning: vernal_config_row.
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

/// Copies rows out of a plugin's static storage.
std::vector<SchemaRow> read_schema(const vernal_config_row* rows, std::uint64_t count,
                                   std::uint64_t stride);

/// A value as the plugin will see it: sizes in bytes and durations in milliseconds as int64.
using SettingValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                                  std::vector<std::int64_t>>;

/// The validated keys of one table, defaults filled in. Immutable after validation.
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

/// A view for the plugin; valid while `settings` lives and stays where it is.
vernal_config_view config_view(const PluginSettings& settings);

}  // namespace vernal

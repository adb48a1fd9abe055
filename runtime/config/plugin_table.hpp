// Validates the table of a plugin instance against the schema of its plugin.
#pragma once

#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "config/table_reader.hpp"

namespace vernal {

/// Fills `instance.settings` from its table; `reader` is that table, with the keys of the core
/// (`plugin`) already read. Unknown keys, wrong types, values out of range and missing keys become
/// problems. Values of rows marked MODEL_NAMES are checked against `model_names`.
void read_plugin_table(TableReader& reader, const std::vector<SchemaRow>& rows,
                       const std::vector<std::string>& model_names, PluginInstance& instance);

}  // namespace vernal

// The plugins a deployment may use: where they are looked for, and what they say of their
// configuration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "plugin/plugin_registry.hpp"

namespace vernal {

/// Folder of the plugins installed with this executable: ../lib/vernal/plugins beside its own
/// folder.
std::filesystem::path installed_plugin_folder();

/// Folders that exist, in the order they are searched: the deployment's, then the installed one.
std::vector<std::filesystem::path> plugin_folders(const RuntimeSettings& settings);

/// Schemas from a registry, which outlives the object.
class RegistrySchemas final : public SchemaSource {
 public:
  explicit RegistrySchemas(plugin::PluginRegistry& registry) : registry_(registry) {}

  std::vector<SchemaRow> schema(const std::string& plugin, std::uint32_t kind) override;
  std::vector<std::string> names(std::uint32_t kind) override;

 private:
  plugin::PluginRegistry& registry_;
};

}  // namespace vernal

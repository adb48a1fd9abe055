#include "loading/plugin_set.hpp"

#include <algorithm>
#include <system_error>

namespace vernal {

std::filesystem::path installed_plugin_folder() {
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const auto prefix = executable.parent_path().parent_path();
  for (const char* library :
       {"lib/vernal/plugins", "lib64/vernal/plugins", "lib/x86_64-linux-gnu/vernal/plugins"}) {
    if (std::filesystem::is_directory(prefix / library, error)) return prefix / library;
  }
  return {};
}

std::vector<std::filesystem::path> plugin_folders(const RuntimeSettings& settings) {
  std::vector<std::filesystem::path> folders = settings.plugin_paths;
  const std::filesystem::path installed = installed_plugin_folder();
  std::error_code error;
  const auto same = [&](const auto& folder) {
    return std::filesystem::equivalent(folder, installed, error);
  };
  if (!installed.empty() && std::ranges::none_of(folders, same)) folders.push_back(installed);
  return folders;
}

std::vector<SchemaRow> RegistrySchemas::schema(const std::string& plugin, std::uint32_t kind) {
  const auto rows = registry_.open(plugin, kind).config_schema(kind);
  return read_schema(rows.data(), rows.size(), sizeof(vernal_config_row));
}

std::vector<std::string> RegistrySchemas::names(std::uint32_t kind) {
  std::vector<std::string> names;
  for (const plugin::PluginListing& listing : registry_.list()) {
    if (!listing.refusal.empty() || !listing.manifest) continue;
    if (listing.manifest->has_kind(kind)) names.push_back(listing.manifest->name);
  }
  return names;
}

}  // namespace vernal

// All plugins of a deployment. They are found by their manifests, opened by name, and started and
// ended in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/core_host.hpp"
#include "plugin/manifest.hpp"
#include "plugin/plugin_library.hpp"

namespace vernal::plugin {

/// One shared object that was found.
struct PluginListing {
  std::filesystem::path file;        // canonical
  std::optional<Manifest> manifest;  // if it could be read
  std::string refusal;               // why it cannot be loaded; empty if it can be
  std::vector<std::string> warnings;
};

struct RegistryOptions {
  bool require_secure_paths = false;
  LoaderCapabilities capabilities = {};
};

/// Finds the files NAME.so of some folders and opens those that are asked for. Destroy it after
/// every object that was made through its plugins' tables. Control thread.
///
/// First open all plugins that a deployment needs. Then call init_all: plugins may touch devices
/// there, and opening a library after that can deadlock in a driver. Call shutdown_all at the end.
class PluginRegistry {
 public:
  /// Reads the manifests of all files "*.so" in `folders`, and runs none of their code. A file that
  /// cannot be loaded is listed with the reason. If two files have one name, both are refused.
  /// `host` must outlive the registry.
  /// Errors  NOT_FOUND: a folder does not exist
  PluginRegistry(CoreHost& host, const std::vector<std::filesystem::path>& folders,
                 RegistryOptions options = {});
  ~PluginRegistry();
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  /// Every file that was found, in the order of folders and names.
  const std::vector<PluginListing>& list() const noexcept { return listings_; }

  /// The plugin of that name. The first call opens it. `kind` is VERNAL_KIND_*.
  /// Errors  NOT_FOUND: no such plugin; the message lists those that exist
  ///         INCOMPATIBLE: the refusal in list(), or an error of PluginLibrary
  PluginLibrary& open(std::string_view name, std::uint32_t kind);

  /// The plugin that provides an architecture, the value of general.architecture in a model file.
  /// Errors  those of open
  ///         INVALID_ARGUMENT: several plugins provide it
  PluginLibrary& open_architecture(std::string_view architecture);

  /// Name of the plugin of `kind` that has a capability of its manifest. Runs no code of it.
  /// Errors  NOT_FOUND: none that can be loaded has it; INVALID_ARGUMENT: several have it.
  const std::string& find_capable(std::string_view capability, std::uint32_t kind) const;

  /// Initialises every plugin that was opened since the last call, in the order of opening.
  void init_all();
  /// Shuts down every initialised plugin, the last one first. A second call does nothing.
  void shutdown_all() noexcept;

 private:
  void scan(const std::filesystem::path& folder);
  PluginListing examine(const std::filesystem::path& file) const;
  void refuse_doubles();
  const PluginListing& find(std::string_view name, std::uint32_t kind) const;

  CoreHost& host_;
  RegistryOptions options_;
  std::vector<std::filesystem::path> folders_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;  // device and inode of listed files
  std::vector<PluginListing> listings_;
  std::vector<std::unique_ptr<PluginLibrary>> opened_;
};

}  // namespace vernal::plugin

// All plugins of a deployment: found by their manifests, opened by name, started and ended in
// order.
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
  std::string refusal;               // why it cannot be loaded; empty: it can
  std::vector<std::string> warnings;
};

struct RegistryOptions {
  bool require_secure_paths = false;
  LoaderCapabilities capabilities = {};
};

/// Finds the files NAME.so of some folders and opens those that are asked for. Control thread;
/// destroyed after every object made through its plugins' tables.
///
/// Order of use: open everything a deployment needs, then init_all (a plugin may touch devices
/// there, and opening libraries after that has deadlocked elsewhere), ..., then shutdown_all.
class PluginRegistry {
 public:
  /// Reads the manifests of all files "*.so" in `folders`; runs no code of theirs. A file that
  /// cannot be loaded is listed with the reason; two files with one name refuse each other. `host`
  /// outlives the registry.
  /// Errors  NOT_FOUND: a folder that does not exist.
  PluginRegistry(CoreHost& host, const std::vector<std::filesystem::path>& folders,
                 RegistryOptions options = {});
  ~PluginRegistry();
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  /// Every file found, by folder and file name.
  const std::vector<PluginListing>& list() const noexcept { return listings_; }

  /// The plugin of that name, opened at the first call; `kind` is VERNAL_KIND_*.
  /// Errors  NOT_FOUND: no such plugin; the message lists those there are.
  ///         INCOMPATIBLE: the reason of list(), or of PluginLibrary.
  PluginLibrary& open(std::string_view name, std::uint32_t kind);

  /// The architecture plugin that provides `architecture` (general.architecture of a model file).
  /// Errors  as open; INVALID_ARGUMENT: several provide it.
  PluginLibrary& open_architecture(std::string_view architecture);

  /// Name of the plugin of `kind` that has a capability of its manifest. Runs no code of it.
  /// Errors  NOT_FOUND: none that can be loaded has it; INVALID_ARGUMENT: several have it.
  const std::string& find_capable(std::string_view capability, std::uint32_t kind) const;

  /// Initialises every plugin opened since the last call, in the order they were opened.
  void init_all();
  /// Ends every initialised plugin, last first. Idempotent.
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

// One open plugin: its code, its tables, and its life from entry to shutdown.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/core_host.hpp"
#include "plugin/manifest.hpp"
#include "vernal/tables.hpp"

namespace vernal::plugin {

/// A plugin's shared object. Control thread. The library stays mapped until the process ends, even
/// when this object is destroyed: its code may run in thread-local destructors and at exit.
class PluginLibrary {
 public:
  /// Opens the file, calls its entry and adopts its tables. No device is touched.
  ///   file      canonical; check_plugin_path accepted it
  ///   manifest  of this file; require_compatible accepted it
  ///   host      must outlive the last call of the plugin
  /// Errors      INCOMPATIBLE: the linker refuses the file, the entry is missing or fails, or a
  /// table is
  ///             malformed; the message has the path, what was expected and what was found
  PluginLibrary(std::filesystem::path file, Manifest manifest, CoreHost& host);
  ~PluginLibrary();
  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;

  const Manifest& manifest() const noexcept { return manifest_; }
  const std::string& name() const noexcept { return manifest_.name; }
  const std::filesystem::path& file() const noexcept { return file_; }

  /// The rows of the table that configures an instance of `kind`, VERNAL_KIND_*. May be called
  /// before init. Text in the rows lives as long as the process.
  /// Errors  INCOMPATIBLE: rows are malformed
  std::vector<vernal_config_row> config_schema(std::uint32_t kind) const;

  /// The tables of the kinds that the manifest names, as they were adopted when the library was
  /// opened. They live as long as this object.
  /// Errors  INCOMPATIBLE: the plugin is not of that kind
  const vernal_backend_api& backend() const;
  const vernal_architecture_api& architecture() const;
  const vernal_frontend_api& frontend() const;

  /// Asks the plugin for the table of an extension, by its id. *out is null unless the status is OK.
  /// Returns   NOT_FOUND: the plugin has no such extension, which is a normal answer
  std::int32_t get_extension(std::string_view id, const void** out) const;

  /// Runs the plugin's init. To be called once. Throws Error with the plugin's text.
  void init();
  bool is_initialised() const noexcept { return is_initialised_; }
  /// Runs the plugin's shutdown if init succeeded. A failure is logged.
  void shutdown() noexcept;

 private:
  struct Code;

  std::string where() const;
  template <class Table>
  void adopt_kind(std::uint32_t kind, const char* name, std::optional<Table>& out);

  std::filesystem::path file_;
  std::string path_text_;
  Manifest manifest_;
  CoreHost& host_;
  std::unique_ptr<Code> code_;
  vernal_plugin_api api_{};
  std::optional<vernal_backend_api> backend_;
  std::optional<vernal_architecture_api> architecture_;
  std::optional<vernal_frontend_api> frontend_;
  bool is_initialised_ = false;
};

}  // namespace vernal::plugin

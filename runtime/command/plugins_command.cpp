#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "config/units.hpp"
#include "loading/plugin_set.hpp"
#include "plugin/backend_client.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct PluginsArguments {
  std::vector<std::filesystem::path> folders;  // none: the installed one
  std::string schema;                          // plugin whose configuration is printed instead
};

constexpr std::array<std::uint32_t, 3> kKinds{VERNAL_KIND_BACKEND, VERNAL_KIND_ARCHITECTURE,
                                              VERNAL_KIND_FRONTEND};

std::string_view type_name(std::uint32_t type) {
  constexpr std::array<std::string_view, 12> kNames{
      "?",    "bool",     "integer", "number",          "string",           "path",
      "size", "duration", "choice",  "list of strings", "list of integers", "table"};
  return type < kNames.size() ? kNames[type] : kNames[0];
}

void print_schema(plugin::PluginRegistry& registry, const std::string& name) {
  for (const plugin::PluginListing& listing : registry.list()) {
    if (!listing.manifest || listing.manifest->name != name) continue;
    for (const std::uint32_t kind : kKinds) {
      if (!listing.manifest->has_kind(kind)) continue;
      const auto raw = registry.open(name, kind).config_schema(kind);
      fmt::print("{} \"{}\"{}\n", plugin::kind_name(kind), name,
                 raw.empty() ? ": no keys of its own" : "");
      for (const SchemaRow& row : read_schema(raw.data(), raw.size(), sizeof(vernal_config_row))) {
        const bool required = (row.flags & VERNAL_CONFIG_REQUIRED) != 0;
        fmt::print("  {} ({}{}{})\n      {}\n", row.path, type_name(row.type),
                   row.choices.empty() ? "" : fmt::format(": {}", fmt::join(row.choices, ", ")),
                   required                    ? ", required"
                   : row.default_value.empty() ? ""
                                               : fmt::format(", default {}", row.default_value),
                   row.help);
      }
    }
    return;
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("there is no plugin \"{}\"", name));
}

/// The devices of this machine that a backend can use.
/// Errors  UNAVAILABLE: why there is none;  those of the backend
std::vector<DeviceInfo> usable_devices(plugin::PluginLibrary& library) {
  library.init();
  if (const auto problem = plugin::BackendInstance::machine_problem(library.backend())) {
    throw Error(VERNAL_UNAVAILABLE, *problem);
  }
  return plugin::BackendInstance::devices(library.backend());
}

/// Backends that always have a device are not asked.
void print_devices(plugin::PluginLibrary& library) {
  if (!plugin::BackendInstance::has_device_check(library.backend())) return;
  try {
    for (const DeviceInfo& device : usable_devices(library)) {
      fmt::print("  device {}: {}, {}, {} free\n", device.name, device.description,
                 format_size(device.total_bytes), format_size(device.free_bytes));
    }
  } catch (const Error& error) {
    fmt::print("  no device: {}\n", error.what());
  }
}

void print_listing(const plugin::PluginListing& listing) {
  if (!listing.manifest) {
    fmt::print("{}\n  refused: {}\n", listing.file.string(), listing.refusal);
    return;
  }
  const plugin::Manifest& manifest = *listing.manifest;
  fmt::print("{}  {} {}  ({})  interface {}.{}{}\n  {}\n", manifest.name,
             fmt::join(manifest.kinds, ","), manifest.version, manifest.id, manifest.abi_major,
             manifest.abi_minor_min, manifest.isa.empty() ? "" : ", " + manifest.isa,
             listing.file.string());
  if (!manifest.provides.empty()) fmt::print("  provides {}\n", fmt::join(manifest.provides, ", "));
  if (!manifest.needs.empty()) fmt::print("  needs {}\n", fmt::join(manifest.needs, ", "));
  for (const std::string& warning : listing.warnings) fmt::print("  warning: {}\n", warning);
  if (!listing.refusal.empty()) fmt::print("  refused: {}\n", listing.refusal);
}

/// Opening negotiates: what fails there would fail in a deployment too, and becomes the refusal.
void try_to_open(plugin::PluginRegistry& registry, plugin::PluginListing& listing) {
  if (!listing.refusal.empty()) return;
  try {
    for (const std::uint32_t kind : kKinds) {
      if (listing.manifest->has_kind(kind)) registry.open(listing.manifest->name, kind);
    }
  } catch (const Error& error) {
    listing.refusal = error.what();
  }
}

int plugins(const PluginsArguments& arguments) {
  Log log(LogLevel::kWarning);
  plugin::CoreHost host(log);
  RuntimeSettings settings;
  for (const auto& folder : arguments.folders) {
    settings.plugin_paths.push_back(std::filesystem::absolute(folder));
  }
  const auto folders = arguments.folders.empty() ? plugin_folders(settings) : settings.plugin_paths;
  if (folders.empty()) {
    throw Error(VERNAL_NOT_FOUND, "no plugins are installed beside this program; name a folder");
  }
  plugin::PluginRegistry registry(host, folders);
  if (!arguments.schema.empty()) {
    print_schema(registry, arguments.schema);
    return 0;
  }
  // All are opened before one touches a device.
  std::vector<plugin::PluginListing> listings = registry.list();
  for (plugin::PluginListing& listing : listings) try_to_open(registry, listing);
  for (const plugin::PluginListing& listing : listings) {
    print_listing(listing);
    if (!listing.refusal.empty() || !listing.manifest->has_kind(VERNAL_KIND_BACKEND)) continue;
    print_devices(registry.open(listing.manifest->name, VERNAL_KIND_BACKEND));
  }
  registry.shutdown_all();
  if (registry.list().empty()) fmt::print("no plugins in {}\n", folders.front().string());
  const bool is_any_refused = std::ranges::any_of(
      listings, [](const plugin::PluginListing& listing) { return !listing.refusal.empty(); });
  return is_any_refused ? 1 : 0;
}

}  // namespace

void add_plugins_command(CommandLine& line) {
  const auto arguments = std::make_shared<PluginsArguments>();
  CLI::App& command = line.add("plugins", "List plugins, and why some are refused",
                               [arguments] { return plugins(*arguments); });
  command.add_option("DIR", arguments->folders, "folders; default: the installed one");
  command.add_option("--schema", arguments->schema, "print the configuration keys of one plugin");
}

}  // namespace vernal

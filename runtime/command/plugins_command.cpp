#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "loading/plugin_set.hpp"
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
  for (const std::string& warning : listing.warnings) fmt::print("  warning: {}\n", warning);
  if (!listing.refusal.empty()) fmt::print("  refused: {}\n", listing.refusal);
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
  bool refused = false;
  for (const plugin::PluginListing& listing : registry.list()) {
    if (listing.refusal.empty()) {
      // Opening negotiates: what fails there would fail in a deployment too.
      try {
        for (const std::uint32_t kind : kKinds) {
          if (listing.manifest->has_kind(kind)) registry.open(listing.manifest->name, kind);
        }
      } catch (const Error& error) {
        plugin::PluginListing failed = listing;
        failed.refusal = error.what();
        refused = true;
        print_listing(failed);
        continue;
      }
    } else {
      refused = true;
    }
    print_listing(listing);
  }
  if (registry.list().empty()) fmt::print("no plugins in {}\n", folders.front().string());
  return refused ? 1 : 0;
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

#include "plugin/plugin_registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "plugin/path_security.hpp"
#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

namespace fs = std::filesystem;

fs::path canonical_folder(const fs::path& folder) {
  std::error_code error;
  fs::path canonical = fs::canonical(folder, error);
  if (error || !fs::is_directory(canonical, error)) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("plugin folder {} does not exist", folder.string()));
  }
  return canonical;
}

// The names of loadable plugins for which `wanted` holds, for messages.
template <class Predicate>
std::string names_of(const std::vector<PluginListing>& listings, Predicate wanted) {
  std::vector<std::string_view> names;
  for (const PluginListing& listing : listings) {
    if (listing.refusal.empty() && wanted(*listing.manifest))
      names.push_back(listing.manifest->name);
  }
  if (names.empty()) return "none";
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

// The architectures that loadable plugins provide, for messages.
std::string architectures_of(const std::vector<PluginListing>& listings) {
  std::set<std::string_view> names;
  for (const PluginListing& listing : listings) {
    if (!listing.refusal.empty() || !listing.manifest->has_kind(VERNAL_KIND_ARCHITECTURE)) continue;
    names.insert(listing.manifest->provides.begin(), listing.manifest->provides.end());
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string folders_text(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  names.reserve(folders.size());
  for (const fs::path& folder : folders) names.push_back(folder.string());
  return names.empty() ? "no folder" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

PluginRegistry::PluginRegistry(CoreHost& host, const std::vector<fs::path>& folders,
                               RegistryOptions options)
    : host_(host), options_(std::move(options)) {
  for (const fs::path& folder : folders) {
    folders_.push_back(canonical_folder(folder));
    scan(folders_.back());
  }
  refuse_doubles();
}

PluginRegistry::~PluginRegistry() { shutdown_all(); }

void PluginRegistry::scan(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  if (error) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("plugin folder {} cannot be read: {}",
                                              folder.string(), error.message()));
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    // A file that is found by two names is one plugin.
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) {
      const std::pair<std::uint64_t, std::uint64_t> identity(status.st_dev, status.st_ino);
      if (std::find(seen_.begin(), seen_.end(), identity) != seen_.end()) continue;
      seen_.push_back(identity);
    }
    listings_.push_back(examine(file));
  }
}

PluginListing PluginRegistry::examine(const fs::path& file) const {
  PluginListing listing;
  listing.file = file;
  try {
    std::error_code error;
    fs::path canonical = fs::canonical(file, error);
    if (error) throw Error(VERNAL_NOT_FOUND, file.string() + ": " + error.message());
    listing.file = std::move(canonical);
    listing.manifest = read_manifest(listing.file);
    listing.warnings = check_plugin_path(listing.file, options_.require_secure_paths);
    require_compatible(*listing.manifest, listing.file, options_.capabilities);
  } catch (const Error& error) {
    listing.refusal = error.what();
  }
  return listing;
}

void PluginRegistry::refuse_doubles() {
  std::map<std::string_view, PluginListing*> first;
  for (PluginListing& listing : listings_) {
    if (!listing.refusal.empty()) continue;  // a refused file does not count as a double
    const auto [at, is_new] = first.try_emplace(listing.manifest->name, &listing);
    if (is_new) continue;
    const std::string why =
        fmt::format("two files are named \"{}\": {} and {}; remove one", listing.manifest->name,
                    at->second->file.string(), listing.file.string());
    at->second->refusal = why;
    listing.refusal = why;
  }
}

const PluginListing& PluginRegistry::find(std::string_view name, std::uint32_t kind) const {
  // A plugin that can be loaded is preferred to a refused one of the same name. A file without a
  // readable manifest is found by the name of the file.
  const auto find_if = [&](auto&& matches) {
    return std::find_if(listings_.begin(), listings_.end(), matches);
  };
  const auto is_named = [&](const PluginListing& listing) {
    return listing.manifest ? listing.manifest->name == name : listing.file.stem() == name;
  };
  auto found = find_if(
      [&](const PluginListing& listing) { return listing.refusal.empty() && is_named(listing); });
  if (found == listings_.end()) found = find_if(is_named);
  if (found == listings_.end()) {
    const auto of_kind = [&](const Manifest& manifest) { return manifest.has_kind(kind); };
    throw Error(VERNAL_NOT_FOUND,
                fmt::format("no {} plugin \"{}\" in {}; there are: {}", kind_name(kind), name,
                            folders_text(folders_), names_of(listings_, of_kind)));
  }
  if (!found->refusal.empty()) throw Error(VERNAL_INCOMPATIBLE, found->refusal);
  require_kind(*found->manifest, found->file, kind);
  return *found;
}

PluginLibrary& PluginRegistry::open(std::string_view name, std::uint32_t kind) {
  const PluginListing& listing = find(name, kind);
  for (const auto& library : opened_) {
    if (library->file() == listing.file) return *library;
  }
  for (const std::string& warning : listing.warnings) host_.log().warning("plugins", "{}", warning);
  opened_.push_back(std::make_unique<PluginLibrary>(listing.file, *listing.manifest, host_));
  host_.log().debug("plugins", "opened {} {} from {}", listing.manifest->name,
                    listing.manifest->version, listing.file.string());
  return *opened_.back();
}

PluginLibrary& PluginRegistry::open_architecture(std::string_view architecture) {
  const auto provides = [&](const Manifest& manifest) {
    return manifest.provides_architecture(architecture);
  };
  std::vector<const PluginListing*> found;
  const PluginListing* refused = nullptr;
  for (const PluginListing& listing : listings_) {
    if (!listing.manifest || !provides(*listing.manifest)) continue;
    if (listing.refusal.empty()) {
      found.push_back(&listing);
    } else {
      refused = &listing;
    }
  }
  if (found.size() == 1) return open(found.front()->manifest->name, VERNAL_KIND_ARCHITECTURE);
  if (found.size() > 1) {
    throw Error(
        VERNAL_INVALID_ARGUMENT,
        fmt::format("several plugins provide the architecture \"{}\": {}; choose one with the "
                    "model's key \"architecture\"",
                    architecture, names_of(listings_, provides)));
  }
  if (refused != nullptr) throw Error(VERNAL_INCOMPATIBLE, refused->refusal);
  throw Error(VERNAL_NOT_FOUND,
              fmt::format("no plugin in {} provides the architecture \"{}\"; known are: {}",
                          folders_text(folders_), architecture, architectures_of(listings_)));
}

const std::string& PluginRegistry::find_capable(std::string_view capability,
                                                std::uint32_t kind) const {
  const auto is_capable = [&](const Manifest& manifest) {
    return manifest.has_kind(kind) && manifest.has_capability(capability);
  };
  const Manifest* found = nullptr;
  for (const PluginListing& listing : listings_) {
    if (!listing.refusal.empty() || !is_capable(*listing.manifest)) continue;
    if (found != nullptr) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  fmt::format("several {} plugins have the capability \"{}\": {}", kind_name(kind),
                              capability, names_of(listings_, is_capable)));
    }
    found = &*listing.manifest;
  }
  if (found == nullptr) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("no {} plugin in {} has the capability \"{}\"",
                                              kind_name(kind), folders_text(folders_), capability));
  }
  return found->name;
}

void PluginRegistry::init_all() {
  for (const auto& library : opened_) library->init();
}

void PluginRegistry::shutdown_all() noexcept {
  for (auto library = opened_.rbegin(); library != opened_.rend(); ++library)
    (*library)->shutdown();
}

}  // namespace vernal::plugin

// The manifest of a plugin: what its file says of itself, readable before any of its code runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/plugin.h"

namespace vernal::plugin {

/// The keys of the note (sdk/README.md). Keys of a later interface are skipped.
struct Manifest {
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor_min = 0;    // least interface minor it runs on
  std::uint32_t abi_minor_built = 0;  // minor of the headers it was built with
  std::vector<std::string> kinds;     // "backend", "architecture", "frontend"
  std::string name;                   // what a deployment writes: [a-z0-9_]+
  std::string id;                     // reverse domain name
  std::string version;
  std::string vendor;
  std::string sdk;                        // product version of the SDK it was built with
  std::string isa;                        // "x86-64-v3"; empty: runs everywhere
  std::vector<std::string> needs;         // for people to read
  std::vector<std::string> provides;      // values of general.architecture
  std::vector<std::string> capabilities;  // what the host may use it for beside its kind
  std::string licence;

  /// Whether the plugin is of a kind, VERNAL_KIND_*.
  bool has_kind(std::uint32_t kind) const;
  bool provides_architecture(std::string_view architecture) const;
  bool has_capability(std::string_view capability) const;
};

/// The capability of a frontend that talks with people at the terminal, and may ask for the console
/// service.
inline constexpr std::string_view kConsoleCapability = "console";

/// "backend", "architecture", "frontend", or "unknown kind".
std::string_view kind_name(std::uint32_t kind) noexcept;

/// Reads the manifest of a shared object without opening it as code. Any thread.
/// Errors  those of read_note
///         INCOMPATIBLE: there is no manifest, or a key is missing, malformed or there twice
///         Messages begin with the path.
Manifest read_manifest(const std::filesystem::path& file);

/// What this process can load. Tests set other values.
struct LoaderCapabilities {
  std::uint32_t abi_major = VERNAL_ABI_MAJOR;
  std::uint32_t abi_minor = VERNAL_ABI_MINOR;
  std::function<bool(std::string_view)> has_isa;  // empty: machine_has (cpu_level.hpp)
};

/// Checks that this process can load `file`. A plugin that was built with a newer minor is accepted
/// if it runs on ours.
/// Errors  INCOMPATIBLE: another major, a least minor above ours, or instructions that the machine
/// does
///         not have; the message has the file, the field, what was expected and what was found
void require_compatible(const Manifest& manifest, const std::filesystem::path& file,
                        const LoaderCapabilities& capabilities);

/// Checks that the plugin is of `kind`, VERNAL_KIND_*.
/// Errors  INCOMPATIBLE: it is not
void require_kind(const Manifest& manifest, const std::filesystem::path& file, std::uint32_t kind);

}  // namespace vernal::plugin

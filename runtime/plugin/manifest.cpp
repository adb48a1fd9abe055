#include "plugin/manifest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "plugin/cpu_level.hpp"
#include "plugin/note_reader.hpp"
#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

constexpr std::string_view kRevision = "1";
constexpr std::string_view kKnownKinds[] = {"backend", "architecture", "frontend"};

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: {}", file.string(), why));
}

// The lines of the note as keys and values. Checks the rules that hold for every line.
class Lines {
 public:
  Lines(const std::filesystem::path& file, std::string_view text) : file_(file) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      add(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  const std::string& required(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end() || found->second.empty()) {
      refuse(file_, fmt::format("manifest: key \"{}\" is missing or empty", key));
    }
    return found->second;
  }

  std::string optional(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::string() : found->second;
  }

  std::uint32_t number(std::string_view key) const {
    const std::string& text = required(key);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      refuse(file_, fmt::format("manifest: {} expected a number, found \"{}\"", key, text));
    }
    return value;
  }

  std::vector<std::string> list(std::string_view key) const {
    std::vector<std::string> items;
    const std::string text = optional(key);
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) items.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return items;
  }

 private:
  void add(std::string_view line) {
    if (line.empty()) return;
    const std::size_t equals = line.find('=');
    const bool printable = std::none_of(line.begin(), line.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (equals == std::string_view::npos || !printable) {
      refuse(file_,
             fmt::format("manifest: line {} is not of the form key=value", values_.size() + 1));
    }
    const auto [at, is_new] = values_.try_emplace(std::string(line.substr(0, equals)),
                                                  std::string(line.substr(equals + 1)));
    if (!is_new) refuse(file_, fmt::format("manifest: key \"{}\" occurs twice", at->first));
  }

  const std::filesystem::path& file_;
  std::map<std::string, std::string, std::less<>> values_;
};

bool is_plugin_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_known_kind(const std::string& kind) {
  return std::find(std::begin(kKnownKinds), std::end(kKnownKinds), kind) != std::end(kKnownKinds);
}

}  // namespace

std::string_view kind_name(std::uint32_t kind) noexcept {
  switch (kind) {
    case VERNAL_KIND_BACKEND:
      return "backend";
    case VERNAL_KIND_ARCHITECTURE:
      return "architecture";
    case VERNAL_KIND_FRONTEND:
      return "frontend";
    default:
      return "unknown kind";
  }
}

bool Manifest::has_kind(std::uint32_t kind) const {
  return std::find(kinds.begin(), kinds.end(), kind_name(kind)) != kinds.end();
}

bool Manifest::provides_architecture(std::string_view architecture) const {
  return has_kind(VERNAL_KIND_ARCHITECTURE) &&
         std::find(provides.begin(), provides.end(), architecture) != provides.end();
}

bool Manifest::has_capability(std::string_view capability) const {
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}

Manifest read_manifest(const std::filesystem::path& file) {
  const auto text = read_note(file, VERNAL_NOTE_OWNER, VERNAL_NOTE_TYPE);
  if (!text) {
    refuse(file,
           fmt::format("no plugin manifest: expected an ELF note of owner \"{}\" and type {}; "
                       "build plugins with vernal_add_plugin()",
                       VERNAL_NOTE_OWNER, VERNAL_NOTE_TYPE));
  }
  const Lines lines(file, *text);
  if (lines.required("manifest") != kRevision) {
    refuse(file, fmt::format("manifest revision: expected {}, found {}", kRevision,
                             lines.required("manifest")));
  }
  Manifest manifest;
  manifest.abi_major = lines.number("abi_major");
  manifest.abi_minor_min = lines.number("abi_minor_min");
  manifest.abi_minor_built = lines.number("abi_minor_built");
  manifest.kinds = lines.list("kinds");
  manifest.name = lines.required("name");
  manifest.id = lines.required("id");
  manifest.version = lines.required("version");
  manifest.vendor = lines.optional("vendor");
  manifest.sdk = lines.optional("sdk");
  manifest.isa = lines.optional("isa");
  manifest.needs = lines.list("needs");
  manifest.provides = lines.list("provides");
  manifest.capabilities = lines.list("capabilities");
  manifest.licence = lines.optional("licence");
  if (!is_plugin_name(manifest.name)) {
    refuse(file, fmt::format("manifest: name expected [a-z0-9_]+, found \"{}\"", manifest.name));
  }
  // A later interface may add kinds. A plugin without a kind that is known here cannot be used.
  if (std::none_of(manifest.kinds.begin(), manifest.kinds.end(), is_known_kind)) {
    refuse(file,
           fmt::format("manifest: kinds expected backend, architecture or frontend, found \"{}\"",
                       fmt::join(manifest.kinds, ",")));
  }
  return manifest;
}

void require_compatible(const Manifest& manifest, const std::filesystem::path& file,
                        const LoaderCapabilities& capabilities) {
  if (manifest.abi_major != capabilities.abi_major) {
    refuse(file,
           fmt::format("plugin \"{}\": abi_major expected {}, found {}; build it against this "
                       "version's SDK",
                       manifest.name, capabilities.abi_major, manifest.abi_major));
  }
  if (manifest.abi_minor_min > capabilities.abi_minor) {
    refuse(file,
           fmt::format("plugin \"{}\": abi_minor_min expected at most {}, found {}; build it with "
                       "TARGET_MINOR {} or update the runtime",
                       manifest.name, capabilities.abi_minor, manifest.abi_minor_min,
                       capabilities.abi_minor));
  }
  const bool runs =
      capabilities.has_isa ? capabilities.has_isa(manifest.isa) : machine_has(manifest.isa);
  if (!runs) {
    refuse(file, fmt::format("plugin \"{}\": isa {} expected, this machine does not have it",
                             manifest.name, manifest.isa));
  }
}

void require_kind(const Manifest& manifest, const std::filesystem::path& file, std::uint32_t kind) {
  if (manifest.has_kind(kind)) return;
  refuse(file, fmt::format("plugin \"{}\": kind expected {}, found {}", manifest.name,
                           kind_name(kind), fmt::join(manifest.kinds, ",")));
}

}  // namespace vernal::plugin

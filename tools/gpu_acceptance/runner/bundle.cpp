#include "runner/bundle.hpp"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace vernal::acceptance {
namespace {

namespace fs = std::filesystem;

// Where drivers put their libraries on systems whose cache of libraries does not know of them.
constexpr const char* kDriverFolders =
    "/usr/lib/wsl/lib:/usr/local/nvidia/lib64:/usr/local/nvidia/lib:/run/opengl-driver/lib:"
    "/usr/lib64/nvidia:/usr/lib64:/usr/lib/x86_64-linux-gnu:/usr/lib";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::map<std::string, std::string> environment(const fs::path& work) {
  std::map<std::string, std::string> out{
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"HOME", work.string()},
      {"TMPDIR", work.string()},
      {"CUDA_CACHE_PATH", (work / "compiled").string()},
      {"CUDA_CACHE_MAXSIZE", "1073741824"},
  };
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES",
                           "VERNAL_EMULATED_SCHEDULE", "VERNAL_EMULATED_MEMORY_MIB"}) {
    if (const std::string value = variable(name); !value.empty()) out[name] = value;
  }
  return out;
}

}  // namespace

std::string_view build_name(Build build) {
  switch (build) {
    case Build::kOwn:
      return "as it ships";
    case Build::kNative:
      return "native";
    case Build::kCompiled:
      return "compiled by the driver";
    case Build::kEmulated:
      return "emulated";
  }
  return "?";
}

Bundle::Bundle(fs::path root, fs::path work) : root_(std::move(root)), work_(std::move(work)) {
  if (!fs::exists(root_ / "bin" / "vernal") || !fs::exists(root_ / "plugins")) {
    throw std::runtime_error(root_.string() + " is no bundle: it has no bin/vernal or no plugins");
  }
  fs::create_directories(made());
}

bool Bundle::has_native(const std::string& capability) const {
  return fs::exists(root_ / "native" / capability / "cuda_sm86.so");
}

std::string Bundle::plugin_name(Build build) {
  return build == Build::kEmulated ? "cuda_sm86_emu" : "cuda_sm86";
}

// Copies, because the bundle may lie on a medium that is read-only and plugins refuse odd folders.
fs::path Bundle::stage(Build build, const std::string& capability) const {
  const bool is_native = build == Build::kNative;
  fs::path folder = work_ / (is_native ? "stage-native" : "stage");
  if (fs::exists(folder / "golden")) return folder;
  fs::create_directories(folder / "plugins");
  fs::copy(root_ / "plugins", folder / "plugins",
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  if (is_native) {
    fs::copy_file(root_ / "native" / capability / "cuda_sm86.so",
                  folder / "plugins" / "cuda_sm86.so", fs::copy_options::overwrite_existing);
  }
  fs::permissions(folder / "plugins", fs::perms::owner_all);
  fs::create_directory_symlink(made(), folder / "made");
  fs::create_directory_symlink(root_ / "golden", folder / "golden");
  return folder;
}

// The C library of the bundle, whatever the machine has. Folders of drivers come last, so that
// nothing else is taken from the machine.
std::vector<std::string> Bundle::loader() const {
  const fs::path libraries = root_ / "lib";
  std::string path = libraries.string();
  for (const std::string& more : {variable("LD_LIBRARY_PATH"), std::string(kDriverFolders)}) {
    if (!more.empty()) path += ":" + more;
  }
  return {(libraries / "ld-linux-x86-64.so.2").string(), "--library-path", path};
}

ChildCommand Bundle::command(const std::string& program, std::vector<std::string> arguments,
                             const fs::path& folder) const {
  return command_under({}, program, std::move(arguments), folder);
}

ChildCommand Bundle::command_under(std::vector<std::string> wrapper, const std::string& program,
                                   std::vector<std::string> arguments,
                                   const fs::path& folder) const {
  ChildCommand out;
  out.arguments = std::move(wrapper);
  for (std::string& word : loader()) out.arguments.push_back(std::move(word));
  out.arguments.push_back((root_ / "bin" / program).string());
  for (std::string& word : arguments) out.arguments.push_back(std::move(word));
  out.environment = environment(work_);
  out.folder = folder;
  return out;
}

}  // namespace vernal::acceptance

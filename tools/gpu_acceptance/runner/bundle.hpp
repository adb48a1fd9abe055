// The folder that make_bundle made, and a folder to work in.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runner/child.hpp"

namespace vernal::acceptance {

/// Which build of the plugin computes.
enum class Build {
  kOwn,       ///< the one that ships: machine code for 8.6, and PTX that other devices compile
  kNative,    ///< machine code for this device's capability, if the bundle has one
  kCompiled,  ///< the one that ships, its PTX compiled by the driver even if there is machine code
  kEmulated,  ///< the device is emulated: for dry runs
};
std::string_view build_name(Build build);

/// Paths and commands. The bundle is read alone; everything that is written is in `work`.
class Bundle {
 public:
  /// Makes `work` if it is not there.
  /// Errors  std::runtime_error: it is no bundle, or `work` cannot be made
  Bundle(std::filesystem::path root, std::filesystem::path work);

  const std::filesystem::path& root() const { return root_; }
  const std::filesystem::path& work() const { return work_; }
  /// Where made-up models lie.
  std::filesystem::path made() const { return work_ / "made"; }

  /// Whether there is a build for that capability, "9.0".
  bool has_native(const std::string& capability) const;

  /// The folder that programs of a build start in: it has the plugins in plugins/, and golden/ and
  /// made/. Made once.
  ///   capability   of the device; for kNative
  std::filesystem::path stage(Build build, const std::string& capability) const;

  /// The name of the plugin of a build, as deployments write it.
  static std::string plugin_name(Build build);

  /// The command of a program of bin/. It brings its own C library, and takes nothing of the
  /// environment but what says which devices there are.
  ChildCommand command(const std::string& program, std::vector<std::string> arguments,
                       const std::filesystem::path& folder) const;
  /// The same, run by a program of this machine, for example a debugger.
  ChildCommand command_under(std::vector<std::string> wrapper, const std::string& program,
                             std::vector<std::string> arguments,
                             const std::filesystem::path& folder) const;

 private:
  std::vector<std::string> loader() const;

  std::filesystem::path root_;
  std::filesystem::path work_;
};

}  // namespace vernal::acceptance

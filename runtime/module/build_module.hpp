// Runs an architecture plugin over a model file: probe, describe, build.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "module/builder.hpp"
#include "module/metadata_source.hpp"
#include "module/weight_directory.hpp"
#include "vernal/abi/architecture.h"
#include "vernal/module.hpp"

namespace vernal {

/// An architecture plugin as the core calls it. What the table and the function refer to must
/// outlive it and its copies.
struct ArchitecturePlugin {
  std::string name;             ///< as in its manifest
  vernal_architecture_api api;  ///< adopted (adopt_table): every entry may be called
  /// Returns the text that set_error stored on this thread, and forgets it.
  std::function<std::string()> last_error;
};

/// A model file as an architecture sees it. Borrowed for the call.
struct ArchitectureInput {
  const MetadataSource& metadata;
  const WeightDirectory& weights;
};

/// What the deployment wants of a build.
struct ModuleOptions {
  std::uint64_t context_length = 0;    ///< positions
  std::vector<std::string> functions;  ///< wanted in addition to "main"
  std::vector<std::string> outputs{};  ///< of "main", wanted beside its own
  std::int64_t first_layer = 0;        ///< inclusive
  std::int64_t last_layer = -1;        ///< inclusive; -1: the model's last layer
};

/// How well a plugin fits a file.
struct ArchitectureProbe {
  std::uint32_t score = 0;  ///< 0 (no) to 100
  std::string reason;
};

/// A verified module. It is shared with the backend's plan, which reads it as long as the plan
/// lives.
struct BuiltModule {
  std::shared_ptr<const Module> module;
  std::vector<Hint> hints;
};

/// Whether the plugin builds that file, and why. Control thread.
/// Errors   the plugin's status, with its text
ArchitectureProbe probe_architecture(const ArchitecturePlugin& plugin,
                                     const ArchitectureInput& model);

/// The hyperparameters as lines "name = value". Control thread.
/// Errors   the plugin's status, with its text
std::string describe_architecture(const ArchitecturePlugin& plugin, const ArchitectureInput& model);

/// Builds and verifies the module. It is built twice, because a plugin must be pure.
/// Thread   control
/// Errors   the plugin's status, with its text
///          VERNAL_INVALID_ARGUMENT: the module is not sound; the message lists all problems, with
///          weights that are missing or have another shape
///          VERNAL_INTERNAL: the two builds differ
BuiltModule build_module(const ArchitecturePlugin& plugin, const ArchitectureInput& model,
                         const ModuleOptions& options);

/// The names of tensors that no module uses, in the file's order. Any thread.
std::vector<std::string> unused_tensors(const std::vector<std::shared_ptr<const Module>>& modules,
                                        const WeightDirectory& weights);

}  // namespace vernal

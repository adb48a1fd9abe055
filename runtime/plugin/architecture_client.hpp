// An architecture plugin as the core uses it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vernal/abi/architecture.h"
#include "vernal/architecture_plugin.hpp"

namespace vernal::plugin {

/// Comfort over the table of an architecture plugin. Control thread; the plugin's library outlives
/// it. Members throw vernal::Error with the plugin's own text and name.
class ArchitecturePlugin {
 public:
  /// `api` is an adopted table (PluginLibrary::architecture).
  ArchitecturePlugin(const vernal_architecture_api& api, std::string name);

  const std::string& name() const noexcept { return name_; }
  /// Whether the plugin builds the model that `metadata` describes. Error INTERNAL: a score above
  /// 100.
  Probe probe(vernal_metadata_ref metadata) const;
  /// Hyperparameters as lines "name = value".
  std::string describe(vernal_metadata_ref metadata) const;
  /// Builds the module into `builder`; its content is worthless if this throws.
  void build(vernal_metadata_ref metadata, const BuildOptions& options,
             vernal_builder_ref builder) const;

 private:
  void check(std::int32_t status, std::string_view what) const;

  const vernal_architecture_api& api_;
  std::string name_;
};

}  // namespace vernal::plugin

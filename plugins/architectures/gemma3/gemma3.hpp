// The gemma3 architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Gemma 3: norms before and after each part, and five layers with a window for each global layer.
class Gemma3 final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

// The qwen35 architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Qwen 3.5 and 3.6: gated delta nets in most layers, gated attention in the others. Files with a
/// layer that predicts one more token have a function "mtp".
class Qwen35 final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

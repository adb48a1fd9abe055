// The qwen3moe architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Qwen 3 with experts instead of each feed-forward.
class Qwen3Moe final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

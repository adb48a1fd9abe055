// The qwen3 architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Qwen 3: without biases. Each head of queries and keys is normalised before it is rotated.
class Qwen3 final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

// The qwen2 architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Qwen 2 and 2.5: like llama, but with biases on queries, keys and values, and with rotary pairs
/// of the two halves of a head.
class Qwen2 final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

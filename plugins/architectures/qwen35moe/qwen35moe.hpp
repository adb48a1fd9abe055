// The qwen35moe architecture as a plugin class.
#pragma once

#include <string>

#include "vernal/architecture_plugin.hpp"

namespace vernal::architectures {

/// Qwen 3.5 and 3.6 with experts, one of which every token takes; a function "mtp" for files with a
/// layer that predicts one more token.
class Qwen35Moe final : public Architecture {
 public:
  Probe probe(const Metadata& metadata) const override;
  std::string describe(const Metadata& metadata) const override;
  void build(const Metadata& metadata, const BuildOptions& options,
             const Builder& builder) const override;
};

}  // namespace vernal::architectures

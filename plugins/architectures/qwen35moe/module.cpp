// Qwen 3.5 with experts: three layers with a gated delta net, then one with gated attention. Each
// is followed by experts, one of which every token uses.
#include "decoder_layer.hpp"
#include "expert_layer.hpp"
#include "hybrid_config.hpp"
#include "hybrid_module.hpp"
#include "qwen35moe.hpp"

namespace vernal::architectures {

Probe Qwen35Moe::probe(const Metadata& metadata) const {
  return probe_architecture_name(metadata, "qwen35moe");
}

std::string Qwen35Moe::describe(const Metadata& metadata) const {
  const HybridConfig h = read_hybrid_config(metadata, "qwen35moe", FeedForward::kExperts);
  return describe_hybrid(h) + describe_experts(read_expert_config(metadata, h.decoder));
}

void Qwen35Moe::build(const Metadata& metadata, const BuildOptions& options,
                      const Builder& b) const {
  const HybridConfig h = read_hybrid_config(metadata, "qwen35moe", FeedForward::kExperts);
  const ExpertConfig experts = read_expert_config(metadata, h.decoder);
  const auto feed_forward = [&](const DecoderLayer& blk, Tensor u) {
    return expert_feed_forward(b, blk, experts, u, h.decoder.hidden_size);
  };
  HybridModule(metadata, b, h, feed_forward).build(options);
}

}  // namespace vernal::architectures

// Qwen 3.5: three layers with a gated delta net, then one with gated attention. Each is followed by
// a gated feed-forward.
#include "decoder_layer.hpp"
#include "hybrid_config.hpp"
#include "hybrid_module.hpp"
#include "qwen35.hpp"

namespace vernal::architectures {

Probe Qwen35::probe(const Metadata& metadata) const {
  return probe_architecture_name(metadata, "qwen35");
}

std::string Qwen35::describe(const Metadata& metadata) const {
  return describe_hybrid(read_hybrid_config(metadata, "qwen35", FeedForward::kDense));
}

void Qwen35::build(const Metadata& metadata, const BuildOptions& options, const Builder& b) const {
  const HybridConfig h = read_hybrid_config(metadata, "qwen35", FeedForward::kDense);
  // D width, F inner width.
  const std::int64_t D = h.decoder.hidden_size, F = h.decoder.feed_forward_size;
  const auto feed_forward = [&](const DecoderLayer& blk, Tensor u) {
    const Tensor gate = blk.linear("ffn_gate", u, D, F);
    const Tensor up = blk.linear("ffn_up", u, D, F);
    return blk.linear("ffn_down", b.glu(gate, up, {.kind = "swiglu"}), F, D);
  };
  HybridModule(metadata, b, h, feed_forward).build(options);
}

}  // namespace vernal::architectures

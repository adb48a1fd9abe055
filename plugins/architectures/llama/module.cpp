// Llama:
//   x += Attention(Norm(x))
//   x += FeedForward(Norm(x))
//   logits = Head(Norm(x))
#include "decoder_config.hpp"
#include "decoder_layer.hpp"
#include "llama.hpp"
#include "rope_config.hpp"

namespace vernal::architectures {
namespace {

/// The number of experts. Models with experts have the same architecture name, but other layers.
std::int64_t num_experts(const Metadata& metadata) {
  return metadata.find_int("llama.expert_count").value_or(0);
}

}  // namespace

Probe Llama::probe(const Metadata& metadata) const {
  Probe probe = probe_architecture_name(metadata, "llama");
  if (probe.score > 0 && num_experts(metadata) > 0) return {0, "llama.expert_count is not 0"};
  return probe;
}

std::string Llama::describe(const Metadata& metadata) const {
  return describe_decoder(read_decoder_config(metadata, "llama"));
}

void Llama::build(const Metadata& metadata, const BuildOptions& options, const Builder& b) const {
  if (num_experts(metadata) > 0) refuse_key("llama.expert_count", "experts are not supported");
  const DecoderConfig c = read_decoder_config(metadata, "llama");
  const LayerRange layers = read_layer_range(c, options);
  // D width, F inner width, H query heads, G key/value heads, K and V sizes of a key and of a
  // value.
  const std::int64_t D = c.hidden_size, F = c.feed_forward_size;
  const std::int64_t H = c.num_heads, G = c.num_kv_heads, K = c.key_size, V = c.value_size;
  RopeOptions rope = read_rope(metadata, c, "interleaved", 10000);
  rope.factors = read_rope_factors(metadata, c, rope, options.context_length, b);

  b.begin_function("main");
  const Tensor positions = b.input("positions", Element::kI32, {kTokens, 1});
  Tensor x = begin_residual(b, c, layers);

  for (std::int64_t i = layers.first; i <= layers.last; ++i) {
    const DecoderLayer blk(b, metadata, c, i);

    Tensor u = blk.norm("attn_norm", x, D);
    Tensor q = blk.heads(blk.linear("attn_q", u, D, H * K), H, K);
    Tensor k = blk.heads(blk.linear("attn_k", u, D, G * K), G, K);
    const Tensor v = blk.heads(blk.linear("attn_v", u, D, G * V), G, V);
    q = b.rope(q, positions, rope);
    k = b.rope(k, positions, rope);
    const Tensor a = b.attention(q, k, v, blk.kv_state(), {.scale = c.attention_scale});
    x = b.add(x, blk.linear("attn_output", a, H * V, D));

    u = blk.norm("ffn_norm", x, D);
    const Tensor gate = blk.linear("ffn_gate", u, D, F);
    const Tensor up = blk.linear("ffn_up", u, D, F);
    x = b.add(x, blk.linear("ffn_down", b.glu(gate, up, {.kind = "swiglu"}), F, D));
  }

  if (layers.has_head) {
    b.output("logits", head(b, metadata, c, options, x));
  } else {
    b.output("hidden", x, "all");
  }
  b.end_function();
}

}  // namespace vernal::architectures

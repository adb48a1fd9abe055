// Qwen 3 with experts:
//   x += Attention(Norm(x)), with norms on the heads of q and k
//   x += Experts(Norm(x))
//   logits = Head(Norm(x))
#include "decoder_config.hpp"
#include "decoder_layer.hpp"
#include "expert_layer.hpp"
#include "qwen3moe.hpp"
#include "rope_config.hpp"

namespace vernal::architectures {

Probe Qwen3Moe::probe(const Metadata& metadata) const {
  return probe_architecture_name(metadata, "qwen3moe");
}

std::string Qwen3Moe::describe(const Metadata& metadata) const {
  const DecoderConfig c = read_decoder_config(metadata, "qwen3moe", FeedForward::kExperts);
  return describe_decoder(c) + describe_experts(read_expert_config(metadata, c));
}

void Qwen3Moe::build(const Metadata& metadata, const BuildOptions& options,
                     const Builder& b) const {
  const DecoderConfig c = read_decoder_config(metadata, "qwen3moe", FeedForward::kExperts);
  const ExpertConfig experts = read_expert_config(metadata, c);
  const LayerRange layers = read_layer_range(c, options);
  // D width, H query heads, G key/value heads, K and V sizes of a key and of a value.
  const std::int64_t D = c.hidden_size, H = c.num_heads, G = c.num_kv_heads, K = c.key_size,
                     V = c.value_size;
  const RopeOptions rope = read_rope(metadata, c, "neox", 1000000);

  b.begin_function("main");
  const Tensor positions = b.input("positions", Element::kI32, {kTokens, 1});
  Tensor x = begin_residual(b, c, layers);

  for (std::int64_t i = layers.first; i <= layers.last; ++i) {
    const DecoderLayer blk(b, metadata, c, i);

    Tensor u = blk.norm("attn_norm", x, D);
    Tensor q = blk.heads(blk.linear("attn_q", u, D, H * K), H, K);
    Tensor k = blk.heads(blk.linear("attn_k", u, D, G * K), G, K);
    const Tensor v = blk.heads(blk.linear("attn_v", u, D, G * V), G, V);
    q = b.rope(blk.norm("attn_q_norm", q, K), positions, rope);
    k = b.rope(blk.norm("attn_k_norm", k, K), positions, rope);
    const Tensor a = b.attention(q, k, v, blk.kv_state(), {.scale = c.attention_scale});
    x = b.add(x, blk.linear("attn_output", a, H * V, D));

    u = blk.norm("ffn_norm", x, D);
    x = b.add(x, expert_feed_forward(b, blk, experts, u, D));
  }

  if (layers.has_head) {
    b.output("logits", head(b, metadata, c, options, x));
  } else {
    b.output("hidden", x, "all");
  }
  b.end_function();
}

}  // namespace vernal::architectures

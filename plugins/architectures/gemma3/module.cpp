// Gemma 3:
//   x += Norm(Attention(Norm(x)))
//   x += Norm(FeedForward(Norm(x)))
//   logits = Head(Norm(x))
// Local layers see a window of the past, and their rotation has a base of its own.
#include "decoder_layer.hpp"
#include "gemma3.hpp"
#include "gemma3_config.hpp"

namespace vernal::architectures {

Probe Gemma3::probe(const Metadata& metadata) const {
  return probe_architecture_name(metadata, "gemma3");
}

std::string Gemma3::describe(const Metadata& metadata) const {
  const Gemma3Config g = read_gemma3_config(metadata);
  return describe_decoder(g.decoder) + "window = " + std::to_string(g.window) + "\n";
}

void Gemma3::build(const Metadata& metadata, const BuildOptions& options, const Builder& b) const {
  const Gemma3Config g = read_gemma3_config(metadata);
  const DecoderConfig& c = g.decoder;
  const LayerRange layers = read_layer_range(c, options);
  // D width, F inner width, H query heads, G key/value heads, K and V sizes of a key and of a
  // value.
  const std::int64_t D = c.hidden_size, F = c.feed_forward_size;
  const std::int64_t H = c.num_heads, G = c.num_kv_heads, K = c.key_size, V = c.value_size;

  b.begin_function("main");
  const Tensor positions = b.input("positions", Element::kI32, {kTokens, 1});
  Tensor x = begin_residual(b, c, layers, g.embedding_scale);

  for (std::int64_t i = layers.first; i <= layers.last; ++i) {
    const DecoderLayer blk(b, metadata, c, i);
    const bool is_local = g.is_local[static_cast<std::size_t>(i)];
    const RopeOptions& rope = is_local ? g.local_rope : g.global_rope;

    Tensor u = blk.norm("attn_norm", x, D);
    Tensor q = blk.heads(blk.linear("attn_q", u, D, H * K), H, K);
    Tensor k = blk.heads(blk.linear("attn_k", u, D, G * K), G, K);
    const Tensor v = blk.heads(blk.linear("attn_v", u, D, G * V), G, V);
    q = b.rope(blk.norm("attn_q_norm", q, K), positions, rope);
    k = b.rope(blk.norm("attn_k_norm", k, K), positions, rope);
    const Tensor a =
        b.attention(q, k, v, blk.kv_state(is_local ? g.window : 0), {.scale = c.attention_scale});
    u = blk.linear("attn_output", a, H * V, D);
    x = b.add(x, blk.norm("post_attention_norm", u, D));

    u = blk.norm("ffn_norm", x, D);
    const Tensor gate = blk.linear("ffn_gate", u, D, F);
    const Tensor up = blk.linear("ffn_up", u, D, F);
    u = blk.linear("ffn_down", b.glu(gate, up, {.kind = "geglu_tanh"}), F, D);
    x = b.add(x, blk.norm("post_ffw_norm", u, D));
  }

  if (layers.has_head) {
    const Tensor logits = head(b, metadata, c, options, x);
    b.output("logits", g.final_softcap > 0 ? b.softcap(logits, g.final_softcap) : logits);
  } else {
    b.output("hidden", x, "all");
  }
  b.end_function();
}

}  // namespace vernal::architectures

//   x += Mixer(Norm(x))
//   x += FeedForward(Norm(x))
//   logits = Head(Norm(x))
// In most layers the mixer is a gated delta net (Yang et al. 2024, "Gated Delta Networks"). In the
// others it is gated attention.
#include "hybrid_module.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vernal::architectures {

void HybridModule::build(const BuildOptions& options) const {
  std::vector<std::string_view> others;
  if (h_.num_prediction_layers > 0) others.emplace_back("mtp");
  const LayerRange layers = read_layer_range(c_, options, others);
  const bool wants_mtp = std::ranges::find(options.functions, "mtp") != options.functions.end();
  if (wants_mtp && h_.num_prediction_layers != 1) {
    throw Error(VERNAL_UNSUPPORTED,
                "function \"mtp\": expected one prediction layer in the model file, found " +
                    std::to_string(h_.num_prediction_layers));
  }
  if (wants_mtp && !layers.has_head) {
    throw Error(VERNAL_UNSUPPORTED, "function \"mtp\": it goes with the segment that has the head");
  }
  build_main(layers, wants_mtp || wants_hidden(options));
  if (wants_mtp) build_mtp();
}

void HybridModule::build_main(const LayerRange& layers, bool gives_hidden) const {
  b_.begin_function("main");
  const Tensor positions = b_.input("positions", Element::kI32, {kTokens, 1});
  Tensor x = begin_residual(b_, c_, layers);
  for (std::int64_t i = layers.first; i <= layers.last; ++i) {
    const DecoderLayer blk(b_, metadata_, c_, i);
    x = layer(blk, x, positions, h_.is_recurrent[static_cast<std::size_t>(i)]);
  }
  if (!layers.has_head) {
    b_.output("hidden", x, "all");
  } else {
    b_.output("logits", gives_hidden ? head_with_hidden(b_, metadata_, c_, x)
                                     : head(b_, metadata_, c_, {}, x));
  }
  b_.end_function();
}

// One more layer. Its input is each token, and the result of "main" for the tokens before it.
void HybridModule::build_mtp() const {
  const std::int64_t D = c_.hidden_size;
  b_.begin_function("mtp");
  const Tensor positions = b_.input("positions", Element::kI32, {kTokens, 1});
  const Tensor hidden = b_.input("hidden", Element::kF32, {kTokens, D});
  const Tensor ids = b_.input("ids", Element::kI32, {kTokens});
  {
    const DecoderLayer blk(b_, metadata_, c_, c_.num_layers);
    const WeightRef table =
        blk.weight_or("nextn.embed_tokens.weight", "token_embd.weight", {c_.vocabulary_size, D});
    const Tensor e = blk.norm("nextn.enorm", b_.embed(ids, table), D);
    const Tensor h = blk.norm("nextn.hnorm", hidden, D);
    Tensor x = blk.linear_f32("nextn.eh_proj", b_.concat({e, h}, 1), 2 * D, D);
    x = layer(blk, x, positions, false);
    const WeightRef norm =
        blk.weight_or("nextn.shared_head_norm.weight", "output_norm.weight", {D});
    x = b_.rmsnorm(x, norm, c_.norm_eps, Element::kF32);
    b_.output("hidden", x, "all");
    x = b_.select_rows(x, b_.input("rows", Element::kI32, {kRows}));
    if (blk.has("nextn.shared_head_head.weight")) {
      x = blk.linear_f32("nextn.shared_head_head", x, D, c_.vocabulary_size);
    } else {
      x = score_vocabulary(b_, metadata_, c_, x);
    }
    b_.output("logits", x);
  }
  b_.end_function();
}

Tensor HybridModule::layer(const DecoderLayer& blk, Tensor x, Tensor positions,
                           bool is_recurrent) const {
  const std::int64_t D = c_.hidden_size;
  const Tensor u = blk.norm("attn_norm", x, D);
  x = b_.add(x, is_recurrent ? gated_delta_net(blk, u) : gated_attention(blk, u, positions));
  // Despite its name, this is the norm before the feed-forward.
  return b_.add(x, feed_forward_(blk, blk.norm("post_attention_norm", x, D)));
}

Tensor HybridModule::gated_attention(const DecoderLayer& blk, Tensor u, Tensor positions) const {
  // D width, H query heads, G key/value heads, K size of a head.
  const std::int64_t D = c_.hidden_size, H = c_.num_heads, G = c_.num_kv_heads, K = c_.key_size;
  // The query of a head and the gate of its result are neighbours.
  const Tensor joint = blk.heads(blk.linear("attn_q", u, D, H * 2 * K), H, 2 * K);
  const std::vector<Tensor> parts = b_.split(joint, 2, {K, K});
  Tensor k = blk.heads(blk.linear("attn_k", u, D, G * K), G, K);
  const Tensor v = blk.heads(blk.linear("attn_v", u, D, G * K), G, K);
  const Tensor q = b_.rope(blk.norm("attn_q_norm", parts[0], K), positions, h_.rope);
  k = b_.rope(blk.norm("attn_k_norm", k, K), positions, h_.rope);
  const Tensor a = b_.attention(q, k, v, blk.kv_state(), {.scale = c_.attention_scale});
  const Tensor gate = b_.act(b_.reshape(parts[1], {kTokens, H * K}), "sigmoid");
  return blk.linear("attn_output", b_.mul(a, gate), H * K, D);
}

Tensor HybridModule::gated_delta_net(const DecoderLayer& blk, Tensor u) const {
  // D width, G key heads of size K, H value heads of size V, C channels of the convolution.
  const DeltaNetConfig& d = h_.delta_net;
  const std::int64_t D = c_.hidden_size, G = d.key_heads, K = d.key_size, H = d.value_heads;
  const std::int64_t V = d.value_size, C = d.channels(), W = d.conv_width;
  const Tensor qkv = blk.linear("attn_qkv", u, D, C);
  const Tensor z = blk.heads(blk.linear("attn_gate", u, D, H * V), H, V);
  const Tensor beta = b_.act(blk.linear_f32("ssm_beta", u, D, H), "sigmoid");
  const Tensor alpha = blk.linear_f32("ssm_alpha", u, D, H);
  // ssm_a is stored as -exp(A), so g <= 0: the memory decays by exp(g).
  const Tensor step = b_.act(b_.add(alpha, blk.weight("ssm_dt.bias", {H})), "softplus");
  const Tensor g = b_.mul(step, blk.weight("ssm_a", {H}));

  const StateRef columns = b_.state(ConvState{blk.name("conv"), blk.index(), C, W});
  const Tensor mixed =
      b_.conv1d_state(qkv, blk.weight("ssm_conv1d.weight", {C, W}), {}, columns, "silu");
  const std::vector<Tensor> parts = b_.split(mixed, 1, {G * K, G * K, H * V});
  const Tensor q = blk.heads(parts[0], G, K);
  const Tensor k = blk.heads(parts[1], G, K);
  const Tensor v = blk.heads(parts[2], H, V);
  const StateRef memory = b_.state(RecurrentState{blk.name("memory"), blk.index(), H, K, V});
  // In files of this kind, value head h reads key head h mod G.
  const Tensor y = b_.gated_delta_rule({q, k, v, g, beta}, memory,
                                       {.scale = 1 / std::sqrt(static_cast<double>(K)),
                                        .qk_l2norm = true,
                                        .eps = c_.norm_eps,
                                        .head_map = "tiled"});
  const Tensor gated = b_.glu(z, blk.norm("ssm_norm", y, V), {.kind = "swiglu"});
  return blk.linear("ssm_out", b_.reshape(gated, {kTokens, H * V}), H * V, D);
}

}  // namespace vernal::architectures

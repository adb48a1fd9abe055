#include "expert_layer.hpp"

namespace vernal::architectures {
namespace {

constexpr IntRange kCount{1, 1 << 16};
constexpr IntRange kExpertSize{1, 1 << 24};

}  // namespace

ExpertConfig read_expert_config(const Metadata& metadata, const DecoderConfig& c) {
  ExpertConfig e;
  e.count = metadata.require_int(c.key("expert_count"), kCount);
  e.used = metadata.require_int(c.key("expert_used_count"), {1, e.count});
  e.size = metadata.require_int(c.key("expert_feed_forward_length"), kExpertSize);
  e.shared_size =
      metadata.find_int(c.key("expert_shared_feed_forward_length"), {0, kExpertSize.maximum})
          .value_or(0);
  // 0 means that weights are not scaled; converters write it.
  const double scale = metadata.find_float(c.key("expert_weights_scale"), {0, 1e6}).value_or(0);
  if (scale > 0) e.scale = scale;
  return e;
}

std::string describe_experts(const ExpertConfig& e) {
  return "experts = " + std::to_string(e.count) + "\nexperts_used = " + std::to_string(e.used) +
         "\nexpert_size = " + std::to_string(e.size) +
         "\nshared_expert_size = " + std::to_string(e.shared_size) + "\n";
}

Tensor expert_feed_forward(const Builder& b, const DecoderLayer& blk, const ExpertConfig& config,
                           Tensor u, std::int64_t hidden_size) {
  const std::int64_t D = hidden_size, E = config.count, F = config.size, S = config.shared_size;
  blk.refuse_tensor("ffn_gate_up_exps.weight",
                    "experts whose gate and up are one tensor are not supported");
  const Route route = b.moe_route(blk.linear_f32("ffn_gate_inp", u, D, E), {},
                                  {.k = config.used, .renorm = true, .scale = config.scale});
  const WeightRef gate_exps = blk.weight("ffn_gate_exps.weight", {E, F, D});
  const WeightRef up_exps = blk.weight("ffn_up_exps.weight", {E, F, D});
  const WeightRef down_exps = blk.weight("ffn_down_exps.weight", {E, D, F});
  const Tensor routed = b.moe_glu(u, route, {gate_exps, up_exps, down_exps});
  if (S == 0) return routed;

  const Tensor gate = blk.linear("ffn_gate_shexp", u, D, S);
  const Tensor up = blk.linear("ffn_up_shexp", u, D, S);
  const Tensor shared = blk.linear("ffn_down_shexp", b.glu(gate, up, {.kind = "swiglu"}), S, D);
  const Tensor share = b.act(blk.linear_f32("ffn_gate_inp_shexp", u, D, 1), "sigmoid");
  return b.add(routed, b.mul(shared, share));
}

}  // namespace vernal::architectures

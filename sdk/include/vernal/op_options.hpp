// The options of operations as a backend reads them from a node: what Builder writes
// (builder_types.hpp). An attribute that is absent has the default that stands there.
//
// Texts are views of the node's own, which must outlive them. Optional operands (factors, sinks)
// are left out: they are operands of the node. Attributes of the wrong type count as absent; the
// core lets no such node through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "vernal/builder_types.hpp"
#include "vernal/module.hpp"

namespace vernal {

namespace detail {

/// Overwrites `value` with the attribute of that name, if the node has it.
inline void read_option(const Node& node, std::string_view name, std::int64_t& value) {
  value = node.integer(name, value);
}
inline void read_option(const Node& node, std::string_view name, double& value) {
  value = node.number(name, value);
}
inline void read_option(const Node& node, std::string_view name, bool& value) {
  value = node.integer(name, value ? 1 : 0) != 0;
}
inline void read_option(const Node& node, std::string_view name, std::string_view& value) {
  value = node.text(name, value);
}

}  // namespace detail

/// The factor of embed/1.
inline double embed_scale(const Node& node) { return node.number("scale", kEmbedScale); }

/// Options of rope/1.
inline RopeOptions rope_options(const Node& node) {
  RopeOptions out;
  detail::read_option(node, "n_rot", out.n_rot);
  detail::read_option(node, "style", out.style);
  detail::read_option(node, "base", out.base);
  RopeScaling& scaling = out.scaling;
  detail::read_option(node, "scaling", scaling.kind);
  detail::read_option(node, "factor", scaling.factor);
  detail::read_option(node, "original_context_length", scaling.original_context_length);
  detail::read_option(node, "beta_fast", scaling.beta_fast);
  detail::read_option(node, "beta_slow", scaling.beta_slow);
  detail::read_option(node, "extrapolation", scaling.extrapolation);
  detail::read_option(node, "low_freq_factor", scaling.low_freq_factor);
  detail::read_option(node, "high_freq_factor", scaling.high_freq_factor);
  detail::read_option(node, "magnitude", scaling.magnitude);
  detail::read_option(node, "mrope", out.mrope);
  if (const Attribute* sections = node.find("sections"); sections != nullptr) {
    std::copy_n(sections->integers.begin(),
                std::min(sections->integers.size(), out.sections.size()), out.sections.begin());
  }
  return out;
}

/// Options of attention/1.
inline AttentionOptions attention_options(const Node& node) {
  AttentionOptions out;
  detail::read_option(node, "scale", out.scale);
  detail::read_option(node, "causal", out.causal);
  detail::read_option(node, "softcap", out.softcap);
  return out;
}

/// Options of glu/1 and of the gated unit in moe_glu/1.
inline GluOptions glu_options(const Node& node) {
  GluOptions out;
  detail::read_option(node, "kind", out.kind);
  detail::read_option(node, "alpha", out.alpha);
  detail::read_option(node, "limit", out.limit);
  return out;
}

/// What follows the convolution of conv1d_state/1: "none" or "silu".
inline std::string_view conv1d_activation(const Node& node) {
  return node.text("activation", kConvActivation);
}

/// Options of gated_delta_rule/1.
inline DeltaRuleOptions delta_rule_options(const Node& node) {
  DeltaRuleOptions out;
  detail::read_option(node, "scale", out.scale);
  detail::read_option(node, "qk_l2norm", out.qk_l2norm);
  detail::read_option(node, "eps", out.eps);
  detail::read_option(node, "head_map", out.head_map);
  return out;
}

/// Options of moe_route/1.
inline RouteOptions route_options(const Node& node) {
  RouteOptions out;
  detail::read_option(node, "k", out.k);
  detail::read_option(node, "score", out.score);
  detail::read_option(node, "when", out.when);
  detail::read_option(node, "renorm", out.renorm);
  detail::read_option(node, "scale", out.scale);
  detail::read_option(node, "n_group", out.n_group);
  detail::read_option(node, "topk_group", out.topk_group);
  return out;
}

/// Where moe_glu/1 applies the weights of experts: "out" or "in".
inline std::string_view experts_weight_on(const Node& node) {
  return node.text("weight_on", kExpertsWeightOn);
}

}  // namespace vernal

// Backends that take a node with an attribute and compute as if it had its default.
#include <algorithm>
#include <iterator>

#include "module_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

struct Ignored {
  std::string_view fault;
  std::string_view op;
  std::string_view attribute;
};

constexpr Ignored kIgnored[] = {
    {"rope_ignores_beta_fast", "vernal.rope/1", "beta_fast"},
    {"rope_ignores_beta_slow", "vernal.rope/1", "beta_slow"},
    {"rope_ignores_extrapolation", "vernal.rope/1", "extrapolation"},
    {"rope_ignores_low_freq_factor", "vernal.rope/1", "low_freq_factor"},
    {"rope_ignores_high_freq_factor", "vernal.rope/1", "high_freq_factor"},
    {"rope_ignores_magnitude", "vernal.rope/1", "magnitude"},
    {"attention_ignores_softcap", "vernal.attention/1", "softcap"},
    {"attention_is_always_causal", "vernal.attention/1", "causal"},
    {"embed_ignores_scale", "vernal.embed/1", "scale"},
    {"glu_ignores_limit", "vernal.glu/1", "limit"},
    {"convolution_ignores_activation", "vernal.conv1d_state/1", "activation"},
    {"delta_rule_ignores_norm", "vernal.gated_delta_rule/1", "qk_l2norm"},
    {"route_ignores_renorm", "vernal.moe_route/1", "renorm"},
    {"route_ignores_groups", "vernal.moe_route/1", "n_group"},
    {"route_ignores_scale", "vernal.moe_route/1", "scale"},
};

const Ignored* ignored = nullptr;

/// Which one is seen from the name of the fault.
void ignores_one(Tables& t) {
  static const std::string fault = fault_name();
  ignored = std::ranges::find(kIgnored, fault, &Ignored::fault);
  change_nodes(t, [](ReadNode& node) {
    if (node.op == ignored->op) node.drop(ignored->attribute);
  });
}

}  // namespace

const std::map<std::string_view, Fault>& attribute_faults() {
  static const std::map<std::string_view, Fault> faults = [] {
    std::map<std::string_view, Fault> made;
    for (const Ignored& one : kIgnored) made.emplace(one.fault, ignores_one);
    return made;
  }();
  return faults;
}

}  // namespace zoo

// What this backend can compile, and the reading of attributes.
#pragma once

#include <optional>
#include <string>

#include "kernels/elementwise/elementwise.hpp"
#include "kernels/elementwise/moe_route.hpp"
#include "kernels/elementwise/rope.hpp"
#include "kernels/recurrent/conv1d.hpp"
#include "kernels/recurrent/delta_rule.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// Why a node cannot be compiled; nothing if it can.
std::optional<std::string> refusal(const Module& module, const Function& function,
                                   const Node& node);

// Attribute values of supported nodes.
std::optional<Activation> find_activation(std::string_view kind);
std::optional<Glu> find_glu(std::string_view kind);
RopeParameters rope_parameters(const Node& node);
// Of operations with states and experts; memory and what depends on a step is left open.
Conv1d conv_parameters(const Module& module, const Node& node);
DeltaRule delta_rule_parameters(const Function& function, const Node& node);
MoeRoute route_parameters(const Function& function, const Node& node);

}  // namespace vernal::cpu_avx2

// What this backend can compile, and the reading of attributes.
#pragma once

#include <optional>
#include <string>

#include "kernels/elementwise.hpp"
#include "kernels/rope.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// Why a node cannot be compiled; nothing if it can.
std::optional<std::string> refusal(const Module& module, const Function& function,
                                   const Node& node);

// Attribute values of supported nodes.
std::optional<Activation> find_activation(std::string_view kind);
std::optional<Glu> find_glu(std::string_view kind);
RopeParameters rope_parameters(const Node& node);

}  // namespace vernal::cpu_avx2

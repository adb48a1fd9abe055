// How a module uses its weights: what a backend must know to lay them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/compile/operation_descriptor.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// All uses of one weight, by any node of any function.
struct WeightUses {
  bool is_multiplied = false;
  bool is_looked_up = false;
  bool is_read_by_number = false;
  std::int64_t num_experts = 1;       ///< matrices of [E, N, K]
  std::int64_t num_used_experts = 1;  ///< of them by a token
};

/// By weight of the module. `use_of` says what a node's operation does with an operand.
std::vector<WeightUses> find_weight_uses(
    const Module& module, const std::function<WeightUse(const Node&, std::size_t)>& use_of);

/// The name with a star for each part between dots that is a number: "blk.*.ffn_down.weight".
std::string name_pattern(const std::string& name);

}  // namespace vernal::backend

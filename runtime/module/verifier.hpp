// Checks whole modules: what the table of operations says of single nodes, and what holds between
// them.
#pragma once

#include <vector>

#include "module/problem.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// Problems between nodes: functions without "main", an output or a unique name; inputs and outputs
/// declared twice; weights without a use; states that are malformed or not used by exactly one node
/// of their function. Operand indices must be in range. Any thread.
std::vector<Problem> verify_structure(const Module& module);

/// verify_structure, and for a module of unknown origin: order of values, every node's operands,
/// attributes and results. Empty means that a backend may rely on the module. Any thread.
std::vector<Problem> verify_module(const Module& module);

/// Sets num_uses of every weight. Operand indices that are out of range are passed over.
void count_weight_uses(Module& module);

}  // namespace vernal

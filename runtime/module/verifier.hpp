// Checks whole modules: the rules of single nodes (op_registry.hpp), and the rules between nodes.
#pragma once

#include <vector>

#include "module/problem.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// The problems between nodes. Operand indices must be in range. Any thread. Problems are:
///   - no function "main", a name that two functions have, a function without an output
///   - an input or output that is declared twice
///   - a weight that no node uses
///   - a state that is malformed, or that is not used by exactly one node of its function
std::vector<Problem> verify_structure(const Module& module);

/// The problems of a module of unknown origin: those of verify_structure, and wrong orders of
/// values, operands, attributes and results of nodes. If there are none, a backend may rely on the
/// module. Any thread.
std::vector<Problem> verify_module(const Module& module);

/// Sets num_uses of every weight. Operand indices out of range are ignored.
void count_weight_uses(Module& module);

}  // namespace vernal

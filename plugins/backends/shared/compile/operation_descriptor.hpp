// What a backend knows of each operation of modules: a descriptor for each, and what holds for all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vernal/error.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// What an operation does with a weight; decides how it is kept in memory.
enum class WeightUse : std::uint8_t {
  kNumbers,  ///< reads its numbers one by one
  kTable,    ///< looks rows up: [rows, columns]
  kMatrix,   ///< multiplies with it: [rows, columns]
  /// Multiplies with some of its matrices: [experts, rows, columns]. Operand 1 of the node has the
  /// ids of those that a token uses, [T, k].
  kExpertMatrices,
};

/// An operand that is a weight, and its use. Those that are not named are kNumbers.
struct WeightOperand {
  std::size_t operand;
  WeightUse use;
};

/// Why a node cannot be compiled; nothing if it can.
using Refusal = std::optional<std::string>;

/// One operation of modules. Builder: compiles functions in the backend.
template <class Builder>
struct OperationDescriptor {
  std::string_view op;                           ///< "vernal.rope/1"
  std::span<const std::string_view> attributes;  ///< those that are read; others are refused
  /// Turns a node that is not refused into operations over buffers: takes its operands' buffers,
  /// makes those of its results, and emits.
  void (*compile)(Builder& builder, const Node& node) = nullptr;
  /// Why a node cannot be compiled, beyond what holds for all operations; null: no more than that.
  Refusal (*refuse)(const Module& module, const Function& function, const Node& node) = nullptr;
  std::span<const WeightOperand> weights = {};
  bool makes_integers = false;  ///< its results may be integers

  WeightUse weight_use(std::size_t operand) const {
    const auto found = std::ranges::find(weights, operand, &WeightOperand::operand);
    return found == weights.end() ? WeightUse::kNumbers : found->use;
  }

  /// Why a node of this operation cannot be compiled.
  ///   reads_format  whether the backend has kernels for a storage format of weights, by id
  Refusal refusal(const Module& module, const Function& function, const Node& node,
                  bool (*reads_format)(std::string_view)) const {
    if (auto why = attribute_refusal(node, attributes)) return why;
    if (auto why = refuse_weights(module, node, reads_format)) return why;
    if (auto why = refuse_integers(function, node)) return why;
    return refuse == nullptr ? std::nullopt : refuse(module, function, node);
  }

 private:
  Refusal refuse_weights(const Module& module, const Node& node,
                         bool (*reads_format)(std::string_view)) const {
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      if (node.operands[i].kind != VERNAL_OPERAND_WEIGHT) continue;
      const Weight& weight = module.weights[node.operands[i].index];
      if (!reads_format(weight.format)) {
        return "weight " + weight.name + ": storage format " + weight.format + " is not read here";
      }
      const WeightUse use = weight_use(i);
      const bool is_flat = use == WeightUse::kMatrix || use == WeightUse::kTable;
      if (is_flat && weight.shape.rank != 2) {
        return "weight " + weight.name + ": expected 2 dimensions, found " +
               std::to_string(weight.shape.rank);
      }
    }
    return std::nullopt;
  }

  /// Integers come from inputs and from the choice of experts and go into operations; nothing
  /// moves them.
  Refusal refuse_integers(const Function& function, const Node& node) const {
    if (makes_integers || node.outputs.empty()) return std::nullopt;
    if (function.values[node.outputs[0]].element != VERNAL_ELEMENT_I32) return std::nullopt;
    return node.op + " of integers is not supported here";
  }
};

/// Throws one error that names everything which a module needs and a backend lacks.
///   refusal  why a node cannot be compiled
/// Errors  UNSUPPORTED
inline void require_support(const Module& module,
                            Refusal (*refusal)(const Module&, const Function&, const Node&)) {
  std::string problems;
  for (const Function& function : module.functions) {
    for (const Node& node : function.nodes) {
      if (const auto why = refusal(module, function, node)) {
        problems += "\n  " + (node.path.empty() ? node.op : node.path) + ": " + *why;
      }
    }
  }
  if (problems.empty()) return;
  throw Error(VERNAL_UNSUPPORTED, "the module needs what this backend lacks:" + problems);
}

}  // namespace vernal::backend

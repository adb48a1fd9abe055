#include "operations/operation_table.hpp"

#include <algorithm>
#include <array>

#include "kernels/matmul/weight_format.hpp"

namespace vernal::cpu_avx2 {

// Each file of this folder gives the descriptors at its end.
using Descriptors = std::span<const OperationDescriptor>();
Descriptors attention_operations, conv1d_operations, delta_rule_operations, elementwise_operations,
    embed_operations, expert_operations, glu_operations, layout_operations, linear_operations,
    norm_operations, rope_operations;

namespace {

constexpr std::array kTable{
    attention_operations, conv1d_operations, delta_rule_operations, elementwise_operations,
    embed_operations,     expert_operations, glu_operations,        layout_operations,
    linear_operations,    norm_operations,   rope_operations,
};

Refusal refuse_weights(const OperationDescriptor& descriptor, const Module& module,
                       const Node& node) {
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    if (node.operands[i].kind != VERNAL_OPERAND_WEIGHT) continue;
    const Weight& weight = module.weights[node.operands[i].index];
    if (find_weight_format(weight.format) == nullptr) {
      return "weight " + weight.name + ": storage format " + weight.format + " is not read here";
    }
    const WeightUse use = descriptor.weight_use(i);
    const bool is_flat = use == WeightUse::kMatrix || use == WeightUse::kTable;
    if (is_flat && weight.shape.rank != 2) {
      return "weight " + weight.name + ": expected 2 dimensions, found " +
             std::to_string(weight.shape.rank);
    }
  }
  return std::nullopt;
}

/// Integers come from inputs and from the choice of experts and go into operations; nothing here
/// moves them.
Refusal refuse_integers(const OperationDescriptor& descriptor, const Function& function,
                        const Node& node) {
  if (descriptor.makes_integers || node.outputs.empty()) return std::nullopt;
  if (function.values[node.outputs[0]].element != VERNAL_ELEMENT_I32) return std::nullopt;
  return node.op + " of integers is not supported here";
}

}  // namespace

WeightUse OperationDescriptor::weight_use(std::size_t operand) const {
  const auto found = std::ranges::find(weights, operand, &WeightOperand::operand);
  return found == weights.end() ? WeightUse::kNumbers : found->use;
}

const OperationDescriptor* find_operation(std::string_view op) {
  for (Descriptors* const descriptors : kTable) {
    for (const OperationDescriptor& descriptor : descriptors()) {
      if (descriptor.op == op) return &descriptor;
    }
  }
  return nullptr;
}

Refusal refusal(const Module& module, const Function& function, const Node& node) {
  const OperationDescriptor* const descriptor = find_operation(node.op);
  if (descriptor == nullptr) return "operation " + node.op + " is not supported here";
  if (auto why = attribute_refusal(node, descriptor->attributes)) return why;
  if (auto why = refuse_weights(*descriptor, module, node)) return why;
  if (auto why = refuse_integers(*descriptor, function, node)) return why;
  if (descriptor->refuse == nullptr) return std::nullopt;
  return descriptor->refuse(module, function, node);
}

Refusal refuse_heads(const Function& function, const Node& node, std::size_t first,
                     std::size_t second) {
  for (const std::size_t operand : {first, second}) {
    const std::int64_t dim = function.values[node.operands[operand].index].shape.last();
    if (dim % 8 != 0) {
      return "heads of " + std::to_string(dim) + "; this backend needs multiples of 8";
    }
  }
  return std::nullopt;
}

}  // namespace vernal::cpu_avx2

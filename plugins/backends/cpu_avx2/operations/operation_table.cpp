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

bool reads_format(std::string_view format) { return find_weight_format(format) != nullptr; }

}  // namespace

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
  return descriptor->refusal(module, function, node, reads_format);
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

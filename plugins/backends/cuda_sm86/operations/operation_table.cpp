#include "operations/operation_table.hpp"

#include <array>

#include "weight_format.hpp"

namespace vernal::cuda_sm86 {

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

}  // namespace vernal::cuda_sm86

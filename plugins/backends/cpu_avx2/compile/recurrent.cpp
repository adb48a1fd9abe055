#include "operations/recurrent.hpp"

#include "compile/compilers.hpp"
#include "operations/node_support.hpp"

namespace vernal::cpu_avx2 {

void compile_conv1d_state(FunctionBuilder& builder, const Node& node) {
  const StatePlan::Entry& state = builder.context().states.entry(node.operands[3].index);
  Conv1d conv = conv_parameters(builder.module(), node);
  conv.num_columns = state.num_parts;
  builder.emit<ConvOperation>(ConvOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), node.operands[1].index,
      FunctionBuilder::weight(node, 2), state.offset, conv});
}

void compile_gated_delta_rule(FunctionBuilder& builder, const Node& node) {
  const StatePlan::Entry& state = builder.context().states.entry(node.operands[5].index);
  DeltaRule rule = delta_rule_parameters(builder.function(), node);
  rule.num_versions = state.num_parts;
  builder.emit<DeltaRuleOperation>(DeltaRuleOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.operand(node, 2),
      builder.operand(node, 3), builder.operand(node, 4), builder.new_output(node), state.offset,
      rule});
}

}  // namespace vernal::cpu_avx2

// gated_delta_rule/1.
#include "kernels/recurrent/delta_rule.hpp"

#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class DeltaRuleOperation final : public Operation {
 public:
  struct Parameters {
    BufferId q;
    BufferId k;
    BufferId v;
    BufferId g;
    BufferId beta;
    BufferId y;
    std::int64_t state_offset;  ///< in a slot, bytes
    DeltaRule shape;            ///< everything that does not depend on the step
  };
  explicit DeltaRuleOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.q, p_.k, p_.v, p_.g, p_.beta};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    DeltaRule rule = p_.shape;
    rule.q = step.floats(p_.q);
    rule.k = step.floats(p_.k);
    rule.v = step.floats(p_.v);
    rule.g = step.floats(p_.g);
    rule.beta = step.floats(p_.beta);
    rule.y = step.floats(p_.y);
    rule.states = reinterpret_cast<unsigned char*>(step.states + p_.state_offset);
    rule.sequences = step.sequences;
    rule.counts = step.counts;
    return launch_delta_rule(rule, step.size);
  }

 private:
  Parameters p_;
};

void compile_gated_delta_rule(FunctionBuilder& builder, const Node& node) {
  const backend::StatePlan& states = builder.context().states;
  const backend::StatePlan::Entry& state = states.entry(node.operands[5].index);
  const DeltaRuleOptions options = delta_rule_options(node);
  const Shape& keys = builder.operand_shape(node, 0);
  const Shape& values = builder.operand_shape(node, 2);
  DeltaRule rule{};
  rule.slot_bytes = states.slot_bytes();
  rule.num_key_heads = static_cast<std::int32_t>(keys[1]);
  rule.num_value_heads = static_cast<std::int32_t>(values[1]);
  rule.key_dim = static_cast<std::int32_t>(keys[2]);
  rule.value_dim = static_cast<std::int32_t>(values[2]);
  rule.log = {static_cast<std::int32_t>(state.log.depth), state.log.values_offset,
              state.log.keys_offset, state.log.key_bytes};
  rule.scale = static_cast<float>(options.scale);
  rule.epsilon = static_cast<float>(options.eps);
  rule.is_normalized = options.qk_l2norm;
  rule.is_grouped = options.head_map == "grouped";
  rule.has_key_gates = builder.operand_shape(node, 3).rank == 3;
  builder.emit<DeltaRuleOperation>(DeltaRuleOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.operand(node, 2),
      builder.operand(node, 3), builder.operand(node, 4), builder.new_output(node), state.offset,
      rule});
}

Refusal refuse_delta_rule(const Module&, const Function& function, const Node& node) {
  const std::int64_t keys = function.values[node.operands[0].index].shape.last();
  const std::int64_t values = function.values[node.operands[2].index].shape.last();
  if (keys % kRowParts != 0 || keys > kMostKeyNumbers) {
    return "keys of " + std::to_string(keys) + "; this backend needs multiples of " +
           std::to_string(kRowParts) + " up to " + std::to_string(kMostKeyNumbers);
  }
  if (values % kWarpColumns != 0) {
    return "values of " + std::to_string(values) + "; this backend needs multiples of " +
           std::to_string(kWarpColumns);
  }
  return std::nullopt;
}

}  // namespace

std::span<const OperationDescriptor> delta_rule_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.gated_delta_rule/1", backend::kDeltaRuleAttributes,
                          compile_gated_delta_rule, refuse_delta_rule},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86

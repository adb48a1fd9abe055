// gated_delta_rule/1.
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/recurrent/delta_rule.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

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
    std::int64_t slot_offset;  ///< of the state, bytes
    DeltaRule shape;           ///< everything that does not depend on the step
  };
  explicit DeltaRuleOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

DeltaRuleOperation::DeltaRuleOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.q, p_.k, p_.v, p_.g, p_.beta};
  writes = {p_.y};
  scratch_bytes = delta_rule_scratch_floats(p_.shape) * static_cast<std::int64_t>(sizeof(float));
}

void DeltaRuleOperation::run(const StepContext& step, Worker& worker) const noexcept {
  DeltaRule rule = p_.shape;
  rule.q = step.values(p_.q);
  rule.k = step.values(p_.k);
  rule.v = step.values(p_.v);
  rule.g = step.values(p_.g);
  rule.beta = step.values(p_.beta);
  rule.y = step.floats(p_.y);
  const std::int64_t heads = rule.num_value_heads;
  const std::int64_t items = static_cast<std::int64_t>(step.sequences.size()) * heads;
  worker.parallel_for(items, 1, [&](std::int64_t i, std::int64_t) {
    const AttentionSequence& s = step.sequences[static_cast<std::size_t>(i / heads)];
    const DeltaSequence sequence{step.state(i / heads, p_.slot_offset), s.start, s.count,
                                 s.first_position};
    run_delta_rule(rule, sequence, i % heads, step.worker_scratch(worker));
  });
}

/// Memory and what depends on a step is left open.
DeltaRule delta_rule_parameters(const Function& function, const Node& node) {
  const auto shape = [&](std::size_t operand) -> const Shape& {
    return function.values[node.operands[operand].index].shape;
  };
  const DeltaRuleOptions options = delta_rule_options(node);
  DeltaRule rule;
  rule.num_key_heads = shape(0)[1];
  rule.num_value_heads = shape(2)[1];
  rule.key_dim = shape(0)[2];
  rule.value_dim = shape(2)[2];
  rule.scale = static_cast<float>(options.scale);
  rule.epsilon = static_cast<float>(options.eps);
  rule.is_normalized = options.qk_l2norm;
  rule.is_grouped = options.head_map == "grouped";
  rule.has_key_gates = shape(3).rank == 3;
  return rule;
}

void compile_gated_delta_rule(FunctionBuilder& builder, const Node& node) {
  const backend::StatePlan::Entry& state = builder.context().states.entry(node.operands[5].index);
  DeltaRule rule = delta_rule_parameters(builder.function(), node);
  rule.num_versions = state.num_parts;
  builder.emit<DeltaRuleOperation>(DeltaRuleOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.operand(node, 2),
      builder.operand(node, 3), builder.operand(node, 4), builder.new_output(node), state.offset,
      rule});
}

Refusal refuse_delta_rule(const Module&, const Function& function, const Node& node) {
  return refuse_heads(function, node, 0, 2);
}

}  // namespace

std::span<const OperationDescriptor> delta_rule_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.gated_delta_rule/1", backend::kDeltaRuleAttributes,
                          compile_gated_delta_rule, refuse_delta_rule},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2

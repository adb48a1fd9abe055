#include "operations/delta_rule.hpp"

#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

DeltaRuleOperation::DeltaRuleOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.q.buffer, p_.k.buffer, p_.v.buffer, p_.g, p_.beta};
  writes = {p_.y};
}

DeltaRule DeltaRuleOperation::rule(const StepContext& step) const {
  DeltaRule rule = p_.shape;
  rule.q = step.floats(p_.q.buffer) + p_.q.first;
  rule.k = step.floats(p_.k.buffer) + p_.k.first;
  rule.v = step.floats(p_.v.buffer) + p_.v.first;
  rule.q_stride = p_.q.stride;
  rule.k_stride = p_.k.stride;
  rule.v_stride = p_.v.stride;
  rule.g = step.floats(p_.g);
  rule.beta = step.floats(p_.beta);
  rule.y = step.floats(p_.y);
  rule.states = reinterpret_cast<unsigned char*>(step.states + p_.state_offset);
  rule.sequences = step.sequences;
  rule.counts = step.counts;
  return rule;
}

cudaError_t DeltaRuleOperation::launch(const StepContext& step) const {
  return launch_delta_rule(rule(step), step.size);
}

bool NormedDeltaRuleOperation::can_be(const DeltaRuleOperation::Parameters& rule,
                                      const NormOperation::Parameters& norm) {
  return norm.x == rule.y && norm.index == kNoBuffer && norm.num_columns == rule.shape.value_dim &&
         rule.shape.key_dim <= kMostNormedKeys && rule.shape.value_dim >= kLeastNormedValues &&
         rule.shape.value_dim <= kMostNormedValues;
}

NormedDeltaRuleOperation::NormedDeltaRuleOperation(const DeltaRuleOperation::Parameters& rule,
                                                   const NormOperation::Parameters& norm)
    : rule_(rule), norm_(norm) {
  reads = rule_.reads;
  for (const BufferId buffer : norm_.reads) {
    if (buffer != rule.y) reads.push_back(buffer);
  }
  writes = rule_.writes;  // of a larger step
  writes.insert(writes.end(), norm_.writes.begin(), norm_.writes.end());
}

cudaError_t NormedDeltaRuleOperation::launch(const StepContext& step) const {
  if (step.size.num_tokens <= kMostNormedTokens) {
    return launch_normed_delta_rule(rule_.rule(step), norm_.norm(step), step.size);
  }
  const cudaError_t error = rule_.launch(step);
  return error != cudaSuccess ? error : norm_.launch(step);
}

namespace {

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
  const auto source = [&](std::size_t operand) {
    const Shape& heads = builder.operand_shape(node, operand);
    return DeltaRuleOperation::Source{builder.operand(node, operand), 0, heads[1] * heads[2]};
  };
  builder.emit<DeltaRuleOperation>(DeltaRuleOperation::Parameters{
      source(0), source(1), source(2), builder.operand(node, 3), builder.operand(node, 4),
      builder.new_output(node), state.offset, rule});
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

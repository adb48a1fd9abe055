#include "operations/norm.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cuda_sm86 {

NormOperation::NormOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  for (const BufferId optional : {p_.residual, p_.index, p_.gate}) {
    if (optional != kNoBuffer) reads.push_back(optional);
  }
  for (const BufferId result : {p_.y, p_.blocks.blocks}) {
    if (result != kNoBuffer) writes.push_back(result);
  }
}

Norm NormOperation::norm(const StepContext& step) const {
  Norm norm{};
  norm.x = step.floats(p_.x);
  norm.weight = step.weights->numbers(p_.weight);
  if (p_.y != kNoBuffer) norm.y = step.floats(p_.y);
  norm.rows = step.rows(p_.rows);
  norm.num_columns = p_.num_columns;
  norm.epsilon = p_.epsilon;
  norm.is_l2 = p_.is_l2;
  if (p_.residual != kNoBuffer) norm.residual = step.floats(p_.residual);
  if (p_.index != kNoBuffer) norm.index = step.integers(p_.index);
  if (p_.gate != kNoBuffer) norm.gate = step.floats(p_.gate);
  norm.gate_kind = p_.glu.kind;
  norm.gate_alpha = p_.glu.alpha;
  norm.gate_limit = p_.glu.limit;
  norm.result = step.blocks_of(p_.blocks);
  return norm;
}

cudaError_t NormOperation::launch(const StepContext& step) const {
  return launch_norm(norm(step), step.most(p_.rows), step.size);
}

std::unique_ptr<Operation> NormOperation::with_blocks(BufferId result, const BlockRows& rows,
                                                      bool is_read) const {
  if (result != p_.y || p_.blocks.blocks != kNoBuffer || p_.num_columns % kBlockColumns != 0 ||
      rows.num_columns % p_.num_columns != 0) {
    return nullptr;
  }
  Parameters parameters = p_;
  parameters.blocks = rows;
  if (!is_read) parameters.y = kNoBuffer;
  return std::make_unique<NormOperation>(parameters);
}

NormPairOperation::NormPairOperation(const NormOperation::Parameters& first,
                                     const NormOperation::Parameters& second)
    : first_(first), second_(second) {
  reads = first_.reads;
  for (const BufferId buffer : second_.reads) {
    if (buffer != first.y) reads.push_back(buffer);
  }
  writes = first_.writes;
  writes.insert(writes.end(), second_.writes.begin(), second_.writes.end());
}

cudaError_t NormPairOperation::launch(const StepContext& step) const {
  return launch_norm_pair(first_.norm(step), second_.norm(step),
                          step.most(first_.parameters().rows), step.size);
}

namespace {

void compile_norm(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  NormOperation::Parameters p;
  p.x = builder.operand(node, 0);
  p.y = builder.new_output(node);
  p.weight = FunctionBuilder::weight(node, 1);
  p.rows = shape.rows;
  p.num_columns = shape.num_columns;
  p.epsilon = static_cast<float>(node.number("eps", 0));
  p.is_l2 = node.op == "vernal.l2norm/1";
  builder.emit<NormOperation>(p);
}

}  // namespace

std::span<const OperationDescriptor> norm_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.rmsnorm/1", backend::kNormAttributes, compile_norm},
      OperationDescriptor{"vernal.l2norm/1", backend::kNormAttributes, compile_norm},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86

// embed/1, and override_rows/1, which puts other rows in its place.
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/copy.hpp"
#include "kernels/matmul/matmul.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class EmbedOperation final : public Operation {
 public:
  struct Parameters {
    BufferId ids;
    BufferId y;
    std::uint32_t weight;
    std::int64_t num_columns;
    float scale;
  };
  explicit EmbedOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.ids};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    const Embed embed{step.weights->table(p_.weight),
                      step.integers(p_.ids),
                      step.floats(p_.y),
                      step.counts,
                      step.weights->table_row_bytes(p_.weight),
                      static_cast<std::int32_t>(p_.num_columns),
                      p_.scale};
    return step.weights->format(p_.weight).kernels->embed(embed, step.size);
  }

 private:
  Parameters p_;
};

void compile_embed(FunctionBuilder& builder, const Node& node) {
  const Weight& table = builder.operand_weight(node, 1);
  builder.limit_input(builder.operand(node, 0), table.shape[0]);
  builder.emit<EmbedOperation>(EmbedOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), node.operands[1].index, table.shape[1],
      static_cast<float>(embed_scale(node))});
}

class OverrideRowsOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId external;
    BufferId index;
    BufferId y;
    std::int64_t num_columns;
  };
  explicit OverrideRowsOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.x, p_.external, p_.index};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    return launch_override_rows(
        {step.floats(p_.x), step.floats(p_.external), step.integers(p_.index), step.floats(p_.y),
         step.counts, p_.num_columns},
        step.size);
  }

 private:
  Parameters p_;
};

void compile_override_rows(FunctionBuilder& builder, const Node& node) {
  builder.limit_input(builder.operand(node, 2), VERNAL_DIM_TOKENS);
  builder.emit<OverrideRowsOperation>(OverrideRowsOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.operand(node, 2),
      builder.new_output(node), builder.operand_rows(node, 0).num_columns});
}

}  // namespace

std::span<const OperationDescriptor> embed_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.embed/1", backend::kEmbedAttributes, compile_embed, nullptr,
                          backend::kEmbedWeights},
      OperationDescriptor{"vernal.override_rows/1", {}, compile_override_rows},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86

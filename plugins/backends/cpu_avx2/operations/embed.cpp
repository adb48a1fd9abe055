// embed/1, and override_rows/1, which puts other rows in its place.
#include <algorithm>
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

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
  /// row_scratch: row_scratch_bytes() of the table.
  EmbedOperation(const Parameters& parameters, std::int64_t row_scratch);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

EmbedOperation::EmbedOperation(const Parameters& parameters, std::int64_t row_scratch)
    : p_(parameters) {
  reads = {p_.ids};
  writes = {p_.y};
  scratch_bytes = row_scratch;
}

void EmbedOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const std::int32_t* ids = step.integers(p_.ids);
  auto* scratch = reinterpret_cast<std::byte*>(step.worker_scratch(worker));
  worker.parallel_for(step.num_tokens, 1, [&](std::int64_t token, std::int64_t) {
    float* y = step.floats(p_.y) + token * p_.num_columns;
    step.weights->read_row(p_.weight, ids[token], scratch, y);
    if (p_.scale != 1.0F) scale(y, p_.scale, y, 0, p_.num_columns);
  });
}

void compile_embed(FunctionBuilder& builder, const Node& node) {
  const Weight& table = builder.operand_weight(node, 1);
  builder.limit_input(builder.operand(node, 0), table.shape[0]);
  builder.emit<EmbedOperation>(
      EmbedOperation::Parameters{builder.operand(node, 0), builder.new_output(node),
                                 node.operands[1].index, table.shape[1],
                                 static_cast<float>(embed_scale(node))},
      row_scratch_bytes(table.format, table.shape[1]));
}

/// y = x, then y[index[i]] = ext[i]: override_rows/1. The number of external rows is that of the
/// input.
class OverrideRowsOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId external;
    BufferId index;
    BufferId y;
    std::int64_t num_columns;
  };
  explicit OverrideRowsOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

OverrideRowsOperation::OverrideRowsOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.external, p_.index};
  writes = {p_.y};
}

void OverrideRowsOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* external = step.values(p_.external);
  const std::int32_t* index = step.integers(p_.index);
  worker.parallel_for(step.num_tokens, 1, [&](std::int64_t token, std::int64_t) {
    const float* row = step.values(p_.x) + token * p_.num_columns;
    // Rows are overridden in order, so the last mention of a token wins.
    for (std::int64_t i = 0; i < step.num_external; ++i) {
      if (index[i] == token) row = external + i * p_.num_columns;
    }
    std::copy_n(row, p_.num_columns, step.floats(p_.y) + token * p_.num_columns);
  });
}

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

}  // namespace vernal::cpu_avx2

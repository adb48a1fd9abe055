// What only moves numbers, or not even that: input/1, output/1, reshape/1, slice/1, split/1,
// concat/1, select_rows/1.
#include <algorithm>
#include <array>
#include <utility>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cpu_avx2 {

namespace {

class CopyAxisOperation final : public Operation {
 public:
  explicit CopyAxisOperation(const backend::AxisCopy& copy);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  backend::AxisCopy p_;
};

CopyAxisOperation::CopyAxisOperation(const backend::AxisCopy& copy) : p_(copy) {
  reads = {p_.x};
  writes = {p_.y};
}

void CopyAxisOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(p_.x) + p_.x_start * p_.inner;
  float* y = step.floats(p_.y) + p_.y_start * p_.inner;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      std::copy_n(x + r * p_.x_axis * p_.inner, p_.length * p_.inner, y + r * p_.y_axis * p_.inner);
    }
  });
}

void compile_input(FunctionBuilder& builder, const Node& node) {
  builder.add_input(node.outputs[0], backend::input_slot(builder.function(), node));
}

void compile_output(FunctionBuilder& builder, const Node& node) {
  const auto [rows, num_columns] = builder.operand_rows(node, 0);
  BufferId buffer = builder.operand(node, 0);
  if (builder.is_input(buffer)) {
    const BufferId copy = builder.add_buffer(builder.most(rows) * num_columns * kFloatBytes);
    builder.emit<CopyAxisOperation>(
        backend::AxisCopy{buffer, copy, rows, 1, num_columns, num_columns, 0, num_columns, 0});
    buffer = copy;
  }
  builder.add_output({std::string(node.text("name", "")), buffer, rows, num_columns});
}

void compile_reshape(FunctionBuilder& builder, const Node& node) {
  builder.share_buffer(node.outputs[0], FunctionBuilder::value(node, 0));
}

void compile_copies(FunctionBuilder& builder, const Node& node) {
  for (const backend::AxisCopy& copy : backend::axis_copies(builder, node)) {
    builder.emit<CopyAxisOperation>(copy);
  }
}

/// y[r] = x[index[r]]: select_rows/1.
class SelectRowsOperation final : public Operation {
 public:
  SelectRowsOperation(BufferId x, BufferId index, BufferId y, std::int64_t num_columns);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  std::int64_t num_columns_;
};

SelectRowsOperation::SelectRowsOperation(BufferId x, BufferId index, BufferId y,
                                         std::int64_t num_columns)
    : num_columns_(num_columns) {
  reads = {x, index};
  writes = {y};
}

void SelectRowsOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(reads[0]);
  const std::int32_t* index = step.integers(reads[1]);
  float* y = step.floats(writes[0]);
  worker.parallel_for(
      step.num_rows, chunk_of(step.num_rows, worker), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r) {
          std::copy_n(x + index[r] * num_columns_, num_columns_, y + r * num_columns_);
        }
      });
}

void compile_select_rows(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.limit_input(builder.operand(node, 1), VERNAL_DIM_TOKENS);
  builder.emit<SelectRowsOperation>(builder.operand(node, 0), builder.operand(node, 1),
                                    builder.new_output(node),
                                    shape.rows.factor * shape.num_columns);
}

}  // namespace

std::span<const OperationDescriptor> layout_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{.op = "vernal.input/1",
                          .attributes = backend::kInputAttributes,
                          .compile = compile_input,
                          .makes_integers = true},
      OperationDescriptor{"vernal.output/1", backend::kOutputAttributes, compile_output},
      OperationDescriptor{"vernal.reshape/1", backend::kReshapeAttributes, compile_reshape},
      OperationDescriptor{"vernal.slice/1", backend::kSliceAttributes, compile_copies},
      OperationDescriptor{"vernal.split/1", backend::kSplitAttributes, compile_copies},
      OperationDescriptor{"vernal.concat/1", backend::kConcatAttributes, compile_copies},
      OperationDescriptor{"vernal.select_rows/1", {}, compile_select_rows},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2

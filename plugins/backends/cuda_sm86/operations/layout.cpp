#include "operations/layout.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/copy.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cuda_sm86 {

cudaError_t CopyAxisOperation::launch(const StepContext& step) const {
  const CopyAxis copy{step.floats(copy_.x),       step.floats(copy_.y),
                      step.rows(copy_.rows),      copy_.length * copy_.inner,
                      copy_.x_axis * copy_.inner, copy_.x_start * copy_.inner,
                      copy_.y_axis * copy_.inner, copy_.y_start * copy_.inner};
  return launch_copy_axis(copy, step.most(copy_.rows), step.size);
}

cudaError_t SelectRowsOperation::launch(const StepContext& step) const {
  constexpr RowCount kRows{VERNAL_DIM_ROWS, 1};
  return launch_select_rows({step.floats(reads[0]), step.integers(reads[1]), step.floats(writes[0]),
                             step.rows(kRows), num_columns_},
                            step.most(kRows), step.size);
}

namespace {

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
      OperationDescriptor{.op = "vernal.reshape/1",
                          .attributes = backend::kReshapeAttributes,
                          .compile = compile_reshape,
                          .makes_integers = true},
      OperationDescriptor{"vernal.slice/1", backend::kSliceAttributes, compile_copies},
      OperationDescriptor{"vernal.split/1", backend::kSplitAttributes, compile_copies},
      OperationDescriptor{"vernal.concat/1", backend::kConcatAttributes, compile_copies},
      OperationDescriptor{"vernal.select_rows/1", {}, compile_select_rows},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86

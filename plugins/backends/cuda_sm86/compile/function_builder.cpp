#include "compile/function_builder.hpp"

#include "compile/fusion/fusion.hpp"
#include "operations/linear.hpp"
#include "operations/operation_table.hpp"

namespace vernal::cuda_sm86 {

FunctionBuilder::FunctionBuilder(const Module& module, const Function& function,
                                 const CompileContext& context)
    : FunctionValues(module, function, context.options), context_(context) {}

BufferId FunctionBuilder::quantized(std::uint32_t value) {
  const RowShape shape = rows(value);
  const std::pair key{buffer(value), shape.num_columns};
  if (const auto found = quantized_.find(key); found != quantized_.end()) return found->second;
  const BufferId blocks = add_buffer(activation_bytes(most(shape.rows), shape.num_columns));
  auto* const quantize = emit<QuantizeOperation>(
      QuantizeOperation::Parameters{buffer(value), {blocks, shape.num_columns}, shape.rows});
  quantize->name = std::string(name_, 0, name_.find(" (")) + " (quantise)";
  quantized_.emplace(key, blocks);
  return blocks;
}

CompiledFunction FunctionBuilder::compile() {
  for (const Node& node : function().nodes) {
    name_ = (node.path.empty() ? "" : node.path + " ") + "(" + node.op + ")";
    if (!is_done(node)) find_operation(node.op)->compile(*this, node);
  }
  if (context_.fuses_operations) {
    std::vector<BufferId> results;
    for (const OutputSlot& slot : outputs_) results.push_back(slot.buffer);
    out_.operations = fuse_operations(std::move(out_.operations), results);
  }
  std::vector<const backend::BufferUse*> uses;
  for (const auto& operation : out_.operations) uses.push_back(operation.get());
  planner_.place(uses);
  out_.locations = planner_.locations();
  out_.inputs = std::move(inputs_);
  out_.outputs = std::move(outputs_);
  out_.arena_bytes = planner_.arena_bytes();
  out_.output_bytes = planner_.output_bytes();
  return std::move(out_);
}

CompiledFunction compile_function(const Module& module, std::uint32_t function,
                                  const CompileContext& context) {
  return FunctionBuilder(module, module.functions[function], context).compile();
}

}  // namespace vernal::cuda_sm86

#include "compile/function_builder.hpp"

#include <algorithm>

#include "operations/linear.hpp"

namespace vernal::cpu_avx2 {

FunctionBuilder::FunctionBuilder(const Module& module, const Function& function,
                                 const CompileContext& context)
    : FunctionValues(module, function, context.options),
      context_(context),
      producers_(function.values.size(), nullptr) {}

void FunctionBuilder::begin_node(const Node& node) {
  std::vector<std::string>& kinds = context_.operation_kinds;
  const auto found = std::ranges::find(kinds, node.op);
  timer_ = static_cast<std::uint32_t>(found - kinds.begin());
  if (found == kinds.end()) kinds.push_back(node.op);
}

void FunctionBuilder::share_buffer(std::uint32_t value, std::uint32_t other) {
  FunctionValues::share_buffer(value, other);
  // The maker quantises rows of its own length. It can serve only values with rows of that length.
  if (rows(value).num_columns == rows(other).num_columns) producers_[value] = producers_[other];
}

BufferId FunctionBuilder::quantized(std::uint32_t value, ActivationKind kind) {
  const RowShape shape = rows(value);
  const auto key = std::make_tuple(buffer(value), shape.num_columns, kind);
  if (const auto found = quantized_.find(key); found != quantized_.end()) return found->second;
  const BufferId blocks = add_buffer(
      static_cast<std::int64_t>(activation_bytes(kind, most(shape.rows), shape.num_columns)));
  if (producers_[value] != nullptr) {
    producers_[value]->add_quantized({blocks, kind});
  } else {
    emit<QuantizeOperation>(
        QuantizeOperation::Parameters{buffer(value), blocks, kind, shape.rows, shape.num_columns});
  }
  quantized_.emplace(key, blocks);
  return blocks;
}

CompiledFunction FunctionBuilder::finish() {
  std::vector<backend::BufferUse*> uses;
  for (const auto& operation : out_.operations) uses.push_back(operation.get());
  planner_.place(uses);
  backend::place_barriers(uses, planner_.locations());
  out_.inputs = std::move(inputs_);
  out_.outputs = std::move(outputs_);
  out_.locations = planner_.locations();
  out_.arena_bytes = planner_.arena_bytes();
  out_.output_bytes = planner_.output_bytes();
  for (const auto& operation : out_.operations) {
    out_.scratch_bytes = std::max(out_.scratch_bytes, (operation->scratch_bytes + 63) / 64 * 64);
  }
  return std::move(out_);
}

}  // namespace vernal::cpu_avx2

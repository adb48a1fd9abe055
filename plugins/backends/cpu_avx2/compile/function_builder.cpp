#include "compile/function_builder.hpp"

#include <algorithm>

#include "operations/linear.hpp"

namespace vernal::cpu_avx2 {

FunctionBuilder::FunctionBuilder(const Module& module, const Function& function,
                                 const CompileContext& context)
    : module_(module),
      function_(function),
      context_(context),
      buffers_(function.values.size(), kNoBuffer),
      producers_(function.values.size(), nullptr),
      num_uses_(function.values.size(), 0),
      is_done_(function.nodes.size(), false) {
  for (const Node& node : function_.nodes) {
    for (const vernal_operand& operand : node.operands) {
      if (operand.kind == VERNAL_OPERAND_VALUE) ++num_uses_[operand.index];
    }
  }
}

RowShape FunctionBuilder::rows(std::uint32_t value) const {
  const Shape& s = shape(value);
  RowShape out;
  for (std::uint32_t d = 0; d < s.rank; ++d) {
    if (s[d] < 0) {
      out.rows.leading = s[d];
    } else if (d + 1 == s.rank) {
      out.num_columns = s[d];
    } else {
      out.rows.factor *= s[d];
    }
  }
  return out;
}

std::int64_t FunctionBuilder::most(RowCount rows) const {
  if (rows.leading == VERNAL_DIM_ROWS) {
    return rows.factor * static_cast<std::int64_t>(context_.options.max_rows);
  }
  return rows.leading < 0 ? rows.factor * max_tokens() : rows.factor;
}

std::int64_t FunctionBuilder::weight(const Node& node, std::size_t i) {
  const vernal_operand operand = node.operand(i);
  return operand.kind == VERNAL_OPERAND_WEIGHT ? std::int64_t{operand.index} : -1;
}

BufferId FunctionBuilder::new_buffer(std::uint32_t value) {
  const RowShape shape = rows(value);
  buffers_[value] = add_buffer(most(shape.rows) * shape.num_columns * kFloatBytes);
  return buffers_[value];
}

void FunctionBuilder::share_buffer(std::uint32_t value, std::uint32_t other) {
  buffers_[value] = buffers_[other];
  // The maker quantises rows of its own length. It can serve only values with rows of that length.
  if (rows(value).num_columns == rows(other).num_columns) producers_[value] = producers_[other];
}

BufferId FunctionBuilder::quantized(std::uint32_t value, ActivationKind kind) {
  const RowShape shape = rows(value);
  const auto key = std::make_tuple(buffers_[value], shape.num_columns, kind);
  if (const auto found = quantized_.find(key); found != quantized_.end()) return found->second;
  const BufferId blocks = add_buffer(
      static_cast<std::int64_t>(activation_bytes(kind, most(shape.rows), shape.num_columns)));
  if (producers_[value] != nullptr) {
    producers_[value]->add_quantized({blocks, kind});
  } else {
    emit<QuantizeOperation>(QuantizeOperation::Parameters{buffers_[value], blocks, kind, shape.rows,
                                                          shape.num_columns});
  }
  quantized_.emplace(key, blocks);
  return blocks;
}

void FunctionBuilder::add_input(std::uint32_t value, InputSlot slot) {
  buffers_[value] = planner_.add_input(static_cast<std::int64_t>(out_.inputs.size()));
  out_.inputs.push_back(std::move(slot));
}

void FunctionBuilder::limit_input(BufferId buffer, std::int64_t limit) {
  out_.inputs[static_cast<std::size_t>(location(buffer).offset)].limit = limit;
}

void FunctionBuilder::add_output(OutputSlot slot) {
  planner_.make_output(slot.buffer);
  out_.outputs.push_back(std::move(slot));
}

CompiledFunction FunctionBuilder::finish() {
  std::vector<backend::BufferUse*> uses;
  for (const auto& operation : out_.operations) uses.push_back(operation.get());
  planner_.place(uses);
  backend::place_barriers(uses, planner_.locations());
  out_.locations = planner_.locations();
  out_.arena_bytes = planner_.arena_bytes();
  out_.output_bytes = planner_.output_bytes();
  for (const auto& operation : out_.operations) {
    out_.scratch_bytes = std::max(out_.scratch_bytes, (operation->scratch_bytes + 63) / 64 * 64);
  }
  return std::move(out_);
}

}  // namespace vernal::cpu_avx2

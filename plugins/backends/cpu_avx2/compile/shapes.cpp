#include "compile/compilers.hpp"
#include "operations/rows.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// A copy of part of an axis between two values, all but places and lengths filled in.
CopyAxisOperation::Parameters axis_copy(const FunctionBuilder& builder, std::uint32_t x,
                                        std::uint32_t y, std::uint32_t axis) {
  const Shape& s = builder.shape(x);
  CopyAxisOperation::Parameters p{};
  for (std::uint32_t d = 0; d < s.rank; ++d) {
    if (s[d] < 0) {
      p.rows.leading = s[d];
    } else if (d < axis) {
      p.rows.factor *= s[d];
    }
  }
  p.inner = 1;
  for (std::uint32_t d = axis + 1; d < s.rank; ++d) p.inner *= s[d];
  p.x = builder.buffer(x);
  p.y = builder.buffer(y);
  p.x_axis = s[axis];
  p.y_axis = builder.shape(y)[axis];
  return p;
}

std::uint32_t axis_of(const Node& node) {
  return static_cast<std::uint32_t>(node.integer("axis", 0));
}

}  // namespace

void compile_input(FunctionBuilder& builder, const Node& node) {
  const std::uint32_t value = node.outputs[0];
  const Shape& s = builder.shape(value);
  InputSlot slot;
  slot.name = node.text("name", "");
  slot.element = builder.function().values[value].element;
  slot.leading = s.rank > 0 && s[0] < 0 ? s[0] : 1;
  for (std::uint32_t d = 0; d < s.rank; ++d) slot.factor *= s[d] < 0 ? 1 : s[d];
  builder.add_input(value, std::move(slot));
}

void compile_output(FunctionBuilder& builder, const Node& node) {
  const auto [rows, num_columns] = builder.operand_rows(node, 0);
  BufferId buffer = builder.operand(node, 0);
  if (builder.is_input(buffer)) {
    const BufferId copy = builder.add_buffer(builder.most(rows) * num_columns * kFloatBytes);
    builder.emit<CopyAxisOperation>(CopyAxisOperation::Parameters{
        buffer, copy, rows, 1, num_columns, num_columns, 0, num_columns, 0});
    buffer = copy;
  }
  builder.add_output({std::string(node.text("name", "")), buffer, rows, num_columns});
}

void compile_reshape(FunctionBuilder& builder, const Node& node) {
  builder.share_buffer(node.outputs[0], FunctionBuilder::value(node, 0));
}

void compile_slice(FunctionBuilder& builder, const Node& node) {
  builder.new_output(node);
  auto p = axis_copy(builder, FunctionBuilder::value(node, 0), node.outputs[0], axis_of(node));
  p.length = node.integer("length", 0);
  p.x_start = node.integer("start", 0);
  builder.emit<CopyAxisOperation>(p);
}

void compile_split(FunctionBuilder& builder, const Node& node) {
  std::int64_t start = 0;
  for (const std::uint32_t value : node.outputs) {
    builder.new_buffer(value);
    auto p = axis_copy(builder, FunctionBuilder::value(node, 0), value, axis_of(node));
    p.length = p.y_axis;
    p.x_start = start;
    start += p.length;
    builder.emit<CopyAxisOperation>(p);
  }
}

void compile_concat(FunctionBuilder& builder, const Node& node) {
  builder.new_output(node);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    auto p = axis_copy(builder, FunctionBuilder::value(node, i), node.outputs[0], axis_of(node));
    p.length = p.x_axis;
    p.y_start = start;
    start += p.length;
    builder.emit<CopyAxisOperation>(p);
  }
}

}  // namespace vernal::cpu_avx2

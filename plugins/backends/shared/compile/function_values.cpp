#include "shared/compile/function_values.hpp"

#include <algorithm>

namespace vernal::backend {

FunctionValues::FunctionValues(const Module& module, const Function& function,
                               const PlanOptions& options)
    : module_(module),
      function_(function),
      options_(options),
      buffers_(function.values.size(), kNoBuffer),
      num_uses_(function.values.size(), 0),
      is_done_(function.nodes.size(), false) {
  for (const Node& node : function_.nodes) {
    for (const vernal_operand& operand : node.operands) {
      if (operand.kind == VERNAL_OPERAND_VALUE) ++num_uses_[operand.index];
    }
  }
}

RowShape FunctionValues::rows(std::uint32_t value) const {
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

std::int64_t FunctionValues::most(RowCount rows) const {
  if (rows.leading == VERNAL_DIM_ROWS) {
    return rows.factor * static_cast<std::int64_t>(options_.max_rows);
  }
  return rows.leading < 0 ? rows.factor * max_tokens() : rows.factor;
}

std::int64_t FunctionValues::weight(const Node& node, std::size_t i) {
  const vernal_operand operand = node.operand(i);
  return operand.kind == VERNAL_OPERAND_WEIGHT ? std::int64_t{operand.index} : -1;
}

BufferId FunctionValues::new_buffer(std::uint32_t value) {
  const RowShape shape = rows(value);
  buffers_[value] = add_buffer(most(shape.rows) * shape.num_columns * kFloatBytes);
  return buffers_[value];
}

void FunctionValues::add_input(std::uint32_t value, InputSlot slot) {
  buffers_[value] = planner_.add_input(static_cast<std::int64_t>(inputs_.size()));
  inputs_.push_back(std::move(slot));
}

void FunctionValues::limit_input(BufferId buffer, std::int64_t limit) {
  inputs_[static_cast<std::size_t>(location(buffer).offset)].limit = limit;
}

void FunctionValues::add_output(OutputSlot slot) {
  planner_.make_output(slot.buffer);
  outputs_.push_back(std::move(slot));
}

InputSlot input_slot(const Function& function, const Node& node) {
  const Value& value = function.values[node.outputs[0]];
  InputSlot slot;
  slot.name = node.text("name", "");
  slot.element = value.element;
  slot.leading = value.shape.rank > 0 && value.shape[0] < 0 ? value.shape[0] : 1;
  for (std::uint32_t d = 0; d < value.shape.rank; ++d) {
    slot.factor *= value.shape[d] < 0 ? 1 : value.shape[d];
  }
  return slot;
}

namespace {

/// The value that `node` adds to `product`, or -1 if it is a weight.
std::int64_t other_operand(const Node& node, std::uint32_t product) {
  for (const vernal_operand& o : node.operands) {
    if (o.kind != VERNAL_OPERAND_VALUE) return -1;
    if (o.index != product) return o.index;
  }
  return -1;
}

}  // namespace

ResidualAdd find_residual_add(const FunctionValues& values, const Node& linear) {
  const std::uint32_t product = linear.outputs[0];
  if (values.num_uses(product) != 1) return {};
  const std::vector<Node>& nodes = values.function().nodes;
  for (std::size_t i = values.index_of(linear) + 1; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const bool uses = std::ranges::any_of(node.operands, [&](const vernal_operand& o) {
      return o.kind == VERNAL_OPERAND_VALUE && o.index == product;
    });
    if (!uses) continue;
    if (node.op != "vernal.add/1" || other_operand(node, product) < 0) return {};
    const auto other = static_cast<std::uint32_t>(other_operand(node, product));
    const bool fits = values.buffer(other) != kNoBuffer &&
                      values.shape(other) == values.shape(product) &&
                      values.shape(node.outputs[0]) == values.shape(product);
    return fits ? ResidualAdd{&node, other} : ResidualAdd{};
  }
  return {};
}

namespace {

/// A copy of part of an axis between two values, all but places and lengths filled in.
AxisCopy axis_copy(const FunctionValues& values, std::uint32_t x, std::uint32_t y,
                   std::uint32_t axis) {
  const Shape& s = values.shape(x);
  AxisCopy copy;
  for (std::uint32_t d = 0; d < s.rank; ++d) {
    if (s[d] < 0) {
      copy.rows.leading = s[d];
    } else if (d < axis) {
      copy.rows.factor *= s[d];
    }
  }
  for (std::uint32_t d = axis + 1; d < s.rank; ++d) copy.inner *= s[d];
  copy.x = values.buffer(x);
  copy.y = values.buffer(y);
  copy.x_axis = s[axis];
  copy.y_axis = values.shape(y)[axis];
  return copy;
}

}  // namespace

std::vector<AxisCopy> axis_copies(FunctionValues& values, const Node& node) {
  std::vector<AxisCopy> out;
  for (const std::uint32_t value : node.outputs) values.new_buffer(value);
  const auto axis = static_cast<std::uint32_t>(node.integer("axis", 0));
  const bool is_concat = node.op == "vernal.concat/1";
  std::int64_t start = is_concat ? 0 : node.integer("start", 0);
  const std::size_t count = is_concat ? node.operands.size() : node.outputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t x = FunctionValues::value(node, is_concat ? i : 0);
    AxisCopy copy = axis_copy(values, x, node.outputs[is_concat ? 0 : i], axis);
    copy.length = is_concat ? copy.x_axis : copy.y_axis;
    (is_concat ? copy.y_start : copy.x_start) = start;
    start += copy.length;
    out.push_back(copy);
  }
  return out;
}

std::array<std::int64_t, 4> broadcast_strides(const Shape& operand) {
  std::array<std::int64_t, 4> out{};
  std::int64_t stride = 1;
  for (std::uint32_t d = 0; d < operand.rank; ++d) {
    const std::uint32_t from = operand.rank - 1 - d;
    out[3 - d] = operand[from] == 1 ? 0 : stride;
    if (operand[from] > 0) stride *= operand[from];
  }
  return out;
}

}  // namespace vernal::backend

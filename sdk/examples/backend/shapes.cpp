// Operations that move values without computing.
#include <algorithm>

#include "operations.hpp"

namespace reference {
namespace {

/// A tensor as [outer, dims[axis], inner].
struct AxisView {
  std::int64_t outer = 1;
  std::int64_t inner = 1;
};

AxisView around(const Tensor& x, std::int64_t axis) {
  AxisView result;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(x.dims.size()); ++i) {
    if (i < axis) result.outer *= x.dims[static_cast<std::size_t>(i)];
    if (i > axis) result.inner *= x.dims[static_cast<std::size_t>(i)];
  }
  return result;
}

/// Copies `length` entries of the axis between two tensors that agree in the other dimensions.
struct AxisCopy {
  std::int64_t axis;
  std::int64_t from;
  std::int64_t to;
  std::int64_t length;
};

void copy_along(const Tensor& source, Tensor& target, const AxisCopy& part) {
  const AxisView view = around(source, part.axis);
  const std::int64_t source_size = source.dims[static_cast<std::size_t>(part.axis)];
  const std::int64_t target_size = target.dims[static_cast<std::size_t>(part.axis)];
  for (std::int64_t o = 0; o < view.outer; ++o) {
    const auto* begin = source.floats.data() + (o * source_size + part.from) * view.inner;
    std::copy_n(begin, part.length * view.inner,
                target.floats.data() + (o * target_size + part.to) * view.inner);
  }
}

}  // namespace

void run_input(const vernal::Node& node, StepContext& context) {
  Tensor& out = context.out(node);
  const std::string_view name = node.text("name", "");
  const auto count = static_cast<std::uint64_t>(out.size());
  if (name == "rows") {
    out.integers.assign(context.batch.rows.begin(), context.batch.rows.end());
  } else if (context.function.values[node.outputs[0]].element == VERNAL_ELEMENT_I32) {
    const auto data = context.batch.input<std::int32_t>(name, count);
    out.integers.assign(data.begin(), data.end());
  } else {
    const auto data = context.batch.input<float>(name, count);
    out.floats.assign(data.begin(), data.end());
  }
}

void run_output(const vernal::Node& node, StepContext& context) {
  const std::string name(node.text("name", ""));
  if (std::ranges::find(context.batch.outputs, name) == context.batch.outputs.end()) return;
  const Tensor& x = context.in(node, 0);
  context.outputs[name] = {x.floats, static_cast<std::uint64_t>(x.last())};
}

void run_reshape(const vernal::Node& node, StepContext& context) {
  Tensor& out = context.out(node);
  out.floats = context.in(node, 0).floats;
  out.integers = context.in(node, 0).integers;
}

void run_slice(const vernal::Node& node, StepContext& context) {
  const AxisCopy part{node.integer("axis", 0), node.integer("start", 0), 0,
                      node.integer("length", 0)};
  copy_along(context.in(node, 0), context.out(node), part);
}

void run_split(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const std::int64_t axis = node.integer("axis", 0);
  std::int64_t from = 0;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    Tensor& out = context.out(node, i);
    const std::int64_t length = out.dims[static_cast<std::size_t>(axis)];
    copy_along(x, out, {axis, from, 0, length});
    from += length;
  }
}

void run_concat(const vernal::Node& node, StepContext& context) {
  Tensor& out = context.out(node);
  const std::int64_t axis = node.integer("axis", 0);
  std::int64_t to = 0;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    const Tensor& x = context.in(node, i);
    const std::int64_t length = x.dims[static_cast<std::size_t>(axis)];
    copy_along(x, out, {axis, 0, to, length});
    to += length;
  }
}

void run_select_rows(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const Tensor& rows = context.in(node, 1);
  Tensor& out = context.out(node);
  const std::int64_t count = x.dims[0];
  const std::int64_t size = x.size() / count;  // of a row: all dimensions but the first
  const auto copy_row = [size](const auto& from, std::int64_t row, auto& to, std::size_t i) {
    if (from.empty()) return;
    std::copy_n(from.begin() + row * size, size, to.begin() + static_cast<std::int64_t>(i) * size);
  };
  for (std::size_t i = 0; i < rows.integers.size(); ++i) {
    const std::int64_t row = rows.integers[i];
    if (row < 0 || row >= count) {
      throw vernal::Error(VERNAL_INVALID_ARGUMENT, node.path + ": row " + std::to_string(row) +
                                                       " is outside 0.." +
                                                       std::to_string(count - 1));
    }
    copy_row(x.floats, row, out.floats, i);
    copy_row(x.integers, row, out.integers, i);
  }
}

void run_override_rows(const vernal::Node& node, StepContext& context) {
  const Tensor& external = context.in(node, 1);
  const Tensor& index = context.in(node, 2);
  Tensor& out = context.out(node);
  out.floats = context.in(node, 0).floats;
  for (std::size_t i = 0; i < index.integers.size(); ++i) {
    const std::int64_t row = index.integers[i];
    if (row < 0 || row >= out.num_rows()) {
      throw vernal::Error(
          VERNAL_INVALID_ARGUMENT,
          node.path + ": external row " + std::to_string(row) + " is outside the step");
    }
    std::ranges::copy(external.row(static_cast<std::int64_t>(i)), out.row(row).begin());
  }
}

}  // namespace reference

// Operations that work element by element.
#include <algorithm>
#include <array>
#include <cmath>

#include "activation.hpp"
#include "operations.hpp"

namespace reference {
namespace {

/// An operand of a binary operation. Its shape is padded with ones on the left to four dimensions.
/// A weight is read as a vector or matrix of its own shape.
struct Operand4 {
  Tensor tensor;
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};

  std::int64_t offset(const std::array<std::int64_t, 4>& at) const {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < 4; ++i) index = index * dims[i] + (dims[i] == 1 ? 0 : at[i]);
    return index;
  }
};

Tensor read_weight(const StepContext& context, const vernal::Node& node, std::size_t i) {
  const StoredWeight& weight = context.weight(node, i);
  const vernal::Shape& shape = context.program.module().weights[node.operands[i].index].shape;
  Tensor tensor;
  tensor.dims.assign(shape.dims.begin(), shape.dims.begin() + shape.rank);
  std::vector<float> row;
  for (std::int64_t r = 0; r < weight.num_rows; ++r) {
    weight.read_row(r, row);
    tensor.floats.insert(tensor.floats.end(), row.begin(), row.end());
  }
  return tensor;
}

Operand4 operand4(const StepContext& context, const vernal::Node& node, std::size_t i) {
  Operand4 operand;
  operand.tensor = node.operands[i].kind == VERNAL_OPERAND_WEIGHT ? read_weight(context, node, i)
                                                                  : context.in(node, i);
  const auto& dims = operand.tensor.dims;
  std::ranges::copy(dims, operand.dims.end() - static_cast<std::ptrdiff_t>(dims.size()));
  return operand;
}

/// out = f(a, b). A dimension of 1 is repeated.
template <class F>
void binary(const vernal::Node& node, StepContext& context, F f) {
  const Operand4 a = operand4(context, node, 0);
  const Operand4 b = operand4(context, node, 1);
  Tensor& out = context.out(node);
  std::array<std::int64_t, 4> dims{};
  for (std::size_t i = 0; i < 4; ++i) dims[i] = std::max(a.dims[i], b.dims[i]);
  std::size_t index = 0;
  std::array<std::int64_t, 4> at{};
  for (at[0] = 0; at[0] < dims[0]; ++at[0]) {
    for (at[1] = 0; at[1] < dims[1]; ++at[1]) {
      for (at[2] = 0; at[2] < dims[2]; ++at[2]) {
        for (at[3] = 0; at[3] < dims[3]; ++at[3]) {
          const double x = a.tensor.floats[static_cast<std::size_t>(a.offset(at))];
          const double y = b.tensor.floats[static_cast<std::size_t>(b.offset(at))];
          out.floats[index++] = static_cast<float>(f(x, y));
        }
      }
    }
  }
}

template <class F>
void unary(const vernal::Node& node, StepContext& context, F f) {
  const Tensor& x = context.in(node, 0);
  Tensor& out = context.out(node);
  std::ranges::transform(x.floats, out.floats.begin(),
                         [&](float v) { return static_cast<float>(f(static_cast<double>(v))); });
}

}  // namespace

void run_add(const vernal::Node& node, StepContext& context) {
  binary(node, context, [](double a, double b) { return a + b; });
}

void run_mul(const vernal::Node& node, StepContext& context) {
  binary(node, context, [](double a, double b) { return a * b; });
}

void run_scale(const vernal::Node& node, StepContext& context) {
  const double factor = node.number("scale", 1.0);
  unary(node, context, [=](double x) { return x * factor; });
}

void run_act(const vernal::Node& node, StepContext& context) {
  const std::string_view kind = node.text("kind", "");
  unary(node, context, [=](double x) { return activate(kind, x); });
}

void run_glu(const vernal::Node& node, StepContext& context) {
  const Tensor& gate = context.in(node, 0);
  const Tensor& up = context.in(node, 1);
  const vernal::GluOptions options = vernal::glu_options(node);
  Tensor& out = context.out(node);
  for (std::size_t i = 0; i < out.floats.size(); ++i) {
    const double y =
        glu(options, static_cast<double>(gate.floats[i]), static_cast<double>(up.floats[i]));
    out.floats[i] = static_cast<float>(y);
  }
}

void run_softcap(const vernal::Node& node, StepContext& context) {
  const double cap = node.number("c", 0.0);
  unary(node, context, [=](double x) { return cap * std::tanh(x / cap); });
}

}  // namespace reference

#include "operations/linear.hpp"

#include <algorithm>

#include "compile/compilers.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// The value that `node` adds to `product`, or -1 if it is a weight.
std::int64_t other_operand(const Node& node, std::uint32_t product) {
  for (const vernal_operand& o : node.operands) {
    if (o.kind != VERNAL_OPERAND_VALUE) return -1;
    if (o.index != product) return o.index;
  }
  return -1;
}

/// An add/1 of a product and something already computed.
struct ResidualAdd {
  const Node* node = nullptr;  ///< null: there is none
  std::uint32_t other = 0;     ///< value
};

/// The node that adds the result of `linear` to something already computed, if nothing else uses
/// that result: their sum can be made where the result is written.
ResidualAdd find_residual_add(const FunctionBuilder& builder, const Node& linear) {
  const std::uint32_t product = linear.outputs[0];
  if (builder.num_uses(product) != 1) return {};
  const std::vector<Node>& nodes = builder.function().nodes;
  for (std::size_t i = builder.index_of(linear) + 1; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const bool uses = std::ranges::any_of(node.operands, [&](const vernal_operand& o) {
      return o.kind == VERNAL_OPERAND_VALUE && o.index == product;
    });
    if (!uses) continue;
    if (node.op != "vernal.add/1" || other_operand(node, product) < 0) return {};
    const auto other = static_cast<std::uint32_t>(other_operand(node, product));
    const bool fits = builder.buffer(other) != kNoBuffer &&
                      builder.shape(other) == builder.shape(product) &&
                      builder.shape(node.outputs[0]) == builder.shape(product);
    return fits ? ResidualAdd{&node, other} : ResidualAdd{};
  }
  return {};
}

}  // namespace

void compile_linear(FunctionBuilder& builder, const Node& node) {
  const std::uint32_t x = FunctionBuilder::value(node, 0);
  const Weight& w = builder.operand_weight(node, 1);
  LinearOperation::Parameters p{};
  p.kind = find_weight_format(w.format)->activations;
  p.x = p.kind == ActivationKind::kFloat ? builder.buffer(x) : builder.quantized(x, p.kind);
  p.residual = kNoBuffer;
  p.weight = node.operands[1].index;
  p.bias = FunctionBuilder::weight(node, 2);
  p.rows = builder.rows(x).rows;
  p.num_columns = w.shape[1];
  p.num_outputs = w.shape[0];
  std::uint32_t result = node.outputs[0];
  if (const ResidualAdd add = find_residual_add(builder, node); add.node != nullptr) {
    p.residual = builder.buffer(add.other);
    result = add.node->outputs[0];
    builder.mark_done(*add.node);
  }
  p.y = builder.new_buffer(result);
  builder.emit<LinearOperation>(p);
}

}  // namespace vernal::cpu_avx2

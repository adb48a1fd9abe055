#include "operations/experts.hpp"

#include "compile/compilers.hpp"
#include "operations/node_support.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// A matrix of moe_glu/1, the node's operand i, whose input is rows of K by visit.
MoeGluOperation::Matrix expert_matrix(FunctionBuilder& builder, const Node& node, std::size_t i,
                                      std::int64_t visits) {
  const Weight& w = builder.operand_weight(node, i);
  MoeGluOperation::Matrix m{};
  m.weight = node.operands[i].index;
  m.bias = FunctionBuilder::weight(node, i + 3);
  m.kind = activation_kind(*find_weight_format(w.format));
  m.num_outputs = w.shape[1];
  m.num_columns = w.shape[2];
  m.output = builder.add_buffer(visits * m.num_outputs * kFloatBytes);
  return m;
}

BufferId visit_rows(FunctionBuilder& builder, const MoeGluOperation::Matrix& m,
                    std::int64_t visits) {
  return builder.add_buffer(
      m.kind == ActivationKind::kFloat
          ? visits * m.num_columns * kFloatBytes
          : static_cast<std::int64_t>(activation_bytes(m.kind, visits, m.num_columns)));
}

}  // namespace

void compile_moe_route(FunctionBuilder& builder, const Node& node) {
  builder.emit<MoeRouteOperation>(MoeRouteOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node, 0), builder.new_output(node, 1),
      FunctionBuilder::weight(node, 1), route_parameters(builder.function(), node)});
}

void compile_moe_glu(FunctionBuilder& builder, const Node& node) {
  MoeGluOperation::Parameters p{};
  p.x = builder.operand(node, 0);
  p.ids = builder.operand(node, 1);
  p.weights = builder.operand(node, 2);
  p.num_used = builder.operand_shape(node, 1)[1];
  p.num_experts = builder.operand_weight(node, 3).shape[0];
  if (builder.is_input(p.ids)) builder.limit_input(p.ids, p.num_experts);
  const std::int64_t visits = MoeGluOperation::most_visits(builder.max_tokens(), p.num_used);
  p.gate = expert_matrix(builder, node, 3, visits);
  p.up = expert_matrix(builder, node, 4, visits);
  p.down = expert_matrix(builder, node, 5, visits);
  p.gate.input = visit_rows(builder, p.gate, visits);
  p.up.input = p.up.kind == p.gate.kind ? p.gate.input : visit_rows(builder, p.up, visits);
  const bool is_float = p.down.kind == ActivationKind::kFloat;
  p.down.input = is_float ? p.gate.output : visit_rows(builder, p.down, visits);
  p.kind = *find_glu(node.text("kind", ""));
  p.alpha = static_cast<float>(node.number("alpha", 1.702));
  p.limit = static_cast<float>(node.number("limit", 7));
  p.weights_input = node.text("weight_on", "out") == "in";
  p.y = builder.new_output(node);
  builder.emit<MoeGluOperation>(p);
}

}  // namespace vernal::cpu_avx2

#include "operations/rows.hpp"

#include "compile/compilers.hpp"
#include "operations/node_support.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Strides over the four dimensions of the result, 0 where the operand repeats.
BinaryOperation::Source binary_source(const FunctionBuilder& builder, const Node& node,
                                      std::size_t i) {
  const bool is_weight = node.operands[i].kind == VERNAL_OPERAND_WEIGHT;
  const Shape& s =
      is_weight ? builder.operand_weight(node, i).shape : builder.operand_shape(node, i);
  BinaryOperation::Source source{
      is_weight ? kNoBuffer : builder.operand(node, i), FunctionBuilder::weight(node, i), {}};
  std::int64_t stride = 1;
  for (std::uint32_t d = 0; d < s.rank; ++d) {
    const std::uint32_t from = s.rank - 1 - d;
    source.strides[3 - d] = s[from] == 1 ? 0 : stride;
    if (s[from] > 0) stride *= s[from];
  }
  return source;
}

}  // namespace

void compile_embed(FunctionBuilder& builder, const Node& node) {
  const Weight& table = builder.operand_weight(node, 1);
  builder.limit_input(builder.operand(node, 0), table.shape[0]);
  builder.emit<EmbedOperation>(
      EmbedOperation::Parameters{builder.operand(node, 0), builder.new_output(node),
                                 node.operands[1].index, table.shape[1],
                                 static_cast<float>(node.number("scale", 1))},
      row_scratch_bytes(table.format, table.shape[1]));
}

void compile_select_rows(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.limit_input(builder.operand(node, 1), VERNAL_DIM_TOKENS);
  builder.emit<SelectRowsOperation>(builder.operand(node, 0), builder.operand(node, 1),
                                    builder.new_output(node),
                                    shape.rows.factor * shape.num_columns);
}

void compile_override_rows(FunctionBuilder& builder, const Node& node) {
  builder.limit_input(builder.operand(node, 2), VERNAL_DIM_TOKENS);
  builder.emit<OverrideRowsOperation>(OverrideRowsOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.operand(node, 2),
      builder.new_output(node), builder.operand_rows(node, 0).num_columns});
}

void compile_norm(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.emit_rows<NormOperation>(
      node, {builder.operand(node, 0), builder.new_output(node), FunctionBuilder::weight(node, 1),
             shape.rows, shape.num_columns, static_cast<float>(node.number("eps", 0)),
             node.op == "vernal.l2norm/1"});
}

void compile_glu(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.emit_rows<GluOperation>(
      node, {builder.operand(node, 0), builder.operand(node, 1), builder.new_output(node),
             *find_glu(node.text("kind", "")), shape.rows, shape.num_columns,
             static_cast<float>(node.number("alpha", 1.702)),
             static_cast<float>(node.number("limit", 7))});
}

void compile_map(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  MapOperation::Parameters p{builder.operand(node, 0),
                             builder.new_output(node),
                             MapOperation::Kind::kScale,
                             Activation::kSilu,
                             static_cast<float>(node.number("scale", 1)),
                             shape.rows,
                             shape.num_columns};
  if (node.op == "vernal.act/1") {
    p.kind = MapOperation::Kind::kActivate;
    p.activation = *find_activation(node.text("kind", ""));
  } else if (node.op == "vernal.softcap/1") {
    p.kind = MapOperation::Kind::kSoftcap;
    p.number = static_cast<float>(node.number("c", 1));
  }
  builder.emit<MapOperation>(p);
}

void compile_binary(FunctionBuilder& builder, const Node& node) {
  const Shape& s = builder.shape(node.outputs[0]);
  BinaryOperation::Parameters p{binary_source(builder, node, 0),
                                binary_source(builder, node, 1),
                                builder.new_output(node),
                                node.op == "vernal.add/1" ? Binary::kAdd : Binary::kMultiply,
                                {1, 1, 1, 1}};
  for (std::uint32_t d = 0; d < s.rank; ++d) p.dims[4 - s.rank + d] = s[d];
  builder.emit<BinaryOperation>(p);
}

}  // namespace vernal::cpu_avx2

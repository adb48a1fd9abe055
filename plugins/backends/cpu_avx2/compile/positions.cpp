#include "operations/positions.hpp"

#include "compile/compilers.hpp"
#include "operations/node_support.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// The table of sines and cosines for these parameters, made at its first use.
BufferId rope_table(FunctionBuilder& builder, const RopeParameters& parameters, const Node& node) {
  const BufferId positions = builder.operand(node, 1);
  const std::int64_t factors = FunctionBuilder::weight(node, 2);
  for (const RopeTableOperation* known : builder.rope_tables()) {
    if (known->parameters() == parameters && known->positions() == positions &&
        known->factors() == factors) {
      return known->table();
    }
  }
  const BufferId table = builder.add_buffer(builder.max_tokens() * parameters.n_rot * kFloatBytes);
  const std::int64_t num_axes = builder.operand_shape(node, 1).last();
  builder.rope_tables().push_back(
      builder.emit<RopeTableOperation>(parameters, factors, num_axes, positions, table));
  return table;
}

/// Number of the schedule for operations that cut a step up alike.
std::int64_t schedule_of(FunctionBuilder& builder, const Attention& a) {
  const auto& scheduled = builder.scheduled();
  for (std::size_t i = 0; i < scheduled.size(); ++i) {
    const Attention& known = scheduled[i]->parameters().shape;
    if (known.window == a.window && known.is_causal == a.is_causal &&
        known.num_query_heads == a.num_query_heads &&
        known.layout.num_heads == a.layout.num_heads) {
      return static_cast<std::int64_t>(i);
    }
  }
  return static_cast<std::int64_t>(scheduled.size());
}

}  // namespace

void compile_rope(FunctionBuilder& builder, const Node& node) {
  const RopeParameters parameters = rope_parameters(node);
  const BufferId table = rope_table(builder, parameters, node);
  const Shape& s = builder.operand_shape(node, 0);
  builder.emit<RopeOperation>(RopeOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), table, parameters.n_rot / 2, s[1], s[2],
      node.text("style", "neox") == "interleaved"});
}

void compile_attention(FunctionBuilder& builder, const Node& node) {
  const CompileContext& context = builder.context();
  const std::uint32_t state = node.operands[3].index;
  AttentionOperation::Parameters p{};
  p.q = builder.operand(node, 0);
  p.k = builder.operand(node, 1);
  p.v = builder.operand(node, 2);
  p.sinks = FunctionBuilder::weight(node, 4);
  p.kv_group = context.kv.group(state);
  p.page_offset = context.kv.offset(state);
  p.shape.layout = context.kv.layout(state);
  p.shape.num_query_heads = builder.operand_shape(node, 0)[1];
  p.shape.window = builder.module().states[state].window;
  p.shape.scale = static_cast<float>(node.number("scale", 1));
  p.shape.softcap = static_cast<float>(node.number("softcap", 0));
  p.shape.is_causal = node.integer("causal", 1) != 0;
  p.schedule = schedule_of(builder, p.shape);
  p.y = builder.new_output(node);
  const auto context_length = static_cast<std::int64_t>(context.options.context_length);
  const std::int64_t splits = (context_length + kSplitTokens - 1) / kSplitTokens;
  p.partial_rows = std::int64_t{4} * context.num_threads * p.shape.num_query_heads * splits;
  p.partials =
      builder.add_buffer(p.partial_rows * partial_floats(p.shape.layout.value_dim) * kFloatBytes);
  const auto* made = builder.emit<AttentionOperation>(p);
  if (p.schedule == static_cast<std::int64_t>(builder.scheduled().size())) {
    builder.scheduled().push_back(made);
  }
}

}  // namespace vernal::cpu_avx2

#include "operations/attention.hpp"

#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Where kernels find the rows.
HeadRows rows_of(const AttentionOperation::Source& source, const StepContext& step) {
  HeadRows rows{};
  if (source.buffer == kNoBuffer) return rows;
  rows.x = step.floats(source.buffer) + source.first;
  rows.token_stride = source.token_stride;
  rows.head_stride = source.head_stride;
  rows.norm_weight = step.weights->numbers(source.norm_weight);
  rows.norm_epsilon = source.norm_epsilon;
  rows.has_norm = source.has_norm;
  rows.rope = source.rope;
  if (source.rope_table != kNoBuffer) rows.rope.table = step.floats(source.rope_table);
  return rows;
}

/// Rows that fill a buffer.
AttentionOperation::Source whole_rows(BufferId buffer, std::int64_t heads, std::int64_t dim) {
  AttentionOperation::Source out;
  out.buffer = buffer;
  out.token_stride = heads * dim;
  out.head_stride = dim;
  return out;
}

}  // namespace

AttentionOperation::AttentionOperation(const Parameters& parameters) : p_(parameters) {
  for (const Source* source : {&p_.q, &p_.k, &p_.v, &p_.gate}) {
    for (const BufferId buffer : {source->buffer, source->rope_table}) {
      if (buffer != kNoBuffer) reads.push_back(buffer);
    }
  }
  writes = {p_.y, p_.queries, p_.sums, p_.partials, p_.partial_sums};
  if (p_.result.blocks != kNoBuffer) writes.push_back(p_.result.blocks);
}

std::unique_ptr<Operation> AttentionOperation::with_blocks(BufferId result, const BlockRows& rows,
                                                           bool /*is_read*/) const {
  const bool is_row =
      rows.num_columns == std::int64_t{p_.shape.num_query_heads} * p_.shape.values.dim;
  if (result != p_.y || !is_row || p_.shape.values.dim % kBlockColumns != 0) return nullptr;
  Parameters p = p_;
  p.result = rows;
  return std::make_unique<AttentionOperation>(p);
}

cudaError_t AttentionOperation::launch(const StepContext& step) const {
  const KvPagesOfStep& kv = step.kv[p_.kv_group];
  Attention attention = p_.shape;
  attention.q = rows_of(p_.q, step);
  attention.k = rows_of(p_.k, step);
  attention.v = rows_of(p_.v, step);
  attention.gate = rows_of(p_.gate, step);
  attention.y = step.floats(p_.y);
  attention.result = step.blocks_of(p_.result);
  attention.queries = reinterpret_cast<std::uint16_t*>(step.at(p_.queries));
  attention.sums = reinterpret_cast<SoftmaxSum*>(step.at(p_.sums));
  attention.partials = step.floats(p_.partials);
  attention.partial_sums = reinterpret_cast<SoftmaxSum*>(step.at(p_.partial_sums));
  attention.sinks = step.weights->numbers(p_.sinks);
  attention.pages = reinterpret_cast<unsigned char*>(kv.pages + p_.page_offset);
  attention.page_stride = kv.page_stride;
  attention.page_ids = kv.page_ids;
  attention.token_sequence = step.token_sequence;
  attention.sequences = step.sequences;
  attention.counts = step.counts;
  for (auto* const launch : {launch_prepare, launch_attend, launch_finish}) {
    if (const cudaError_t error = launch(attention, step.size); error != cudaSuccess) {
      return error;
    }
  }
  return cudaSuccess;
}

namespace {

/// The keys or values of head 0 in a page.
KvRun run_of(backend::KvFormat format, std::int64_t dim, std::int64_t rotation, std::int64_t at) {
  KvRun run{};
  switch (format) {
    case backend::KvFormat::kF16:
      run.format = RunFormat::kF16;
      break;
    case backend::KvFormat::kQ8_0:
      run.format = RunFormat::kQ8_0;
      break;
    case backend::KvFormat::kQ4_0:
      run.format = RunFormat::kQ4_0;
      break;
  }
  run.dim = static_cast<std::int32_t>(dim);
  run.rotation = static_cast<std::int32_t>(rotation);
  run.at = at;
  if (backend::has_codes(format)) run.scales_at = backend::KvLayout::code_bytes(format, dim);
  return run;
}

std::int64_t count_of(std::uint64_t positions, std::int64_t per_part) {
  return (static_cast<std::int64_t>(positions) + per_part - 1) / per_part;
}

/// What scores are multiplied with and capped by. They are in units of log2.
void set_options(Attention& shape, const AttentionOptions& options) {
  shape.is_causal = options.causal;
  if (options.softcap > 0) {
    shape.query_factor = static_cast<float>(options.scale / options.softcap);
    shape.softcap = static_cast<float>(options.softcap) * kLog2E;
  } else {
    shape.query_factor = static_cast<float>(options.scale) * kLog2E;
  }
}

void add_scratch(FunctionBuilder& builder, AttentionOperation::Parameters& p) {
  const Attention& shape = p.shape;
  constexpr auto kHalfBytes = static_cast<std::int64_t>(sizeof(std::uint16_t));
  constexpr auto kSumBytes = static_cast<std::int64_t>(sizeof(SoftmaxSum));
  const std::int64_t rows = builder.max_tokens() * shape.num_query_heads;
  p.queries = builder.add_buffer(rows * padded_dim(shape.keys.dim) * kHalfBytes);
  p.sums = builder.add_buffer(rows * kSumBytes);
  const std::int64_t parts =
      std::int64_t{kMostSplitTokens} * shape.num_query_heads * shape.max_splits;
  p.partials = builder.add_buffer(parts * shape.values.dim * kFloatBytes);
  p.partial_sums = builder.add_buffer(parts * kSumBytes);
}

void compile_attention(FunctionBuilder& builder, const Node& node) {
  const CompileContext& context = builder.context();
  const std::uint32_t state = node.operands[3].index;
  const backend::KvLayout& layout = context.kv_layouts[state];
  AttentionOperation::Parameters p{};
  const std::int64_t query_heads = builder.operand_shape(node, 0)[1];
  p.q = whole_rows(builder.operand(node, 0), query_heads, layout.key_dim);
  p.k = whole_rows(builder.operand(node, 1), layout.num_heads, layout.key_dim);
  p.v = whole_rows(builder.operand(node, 2), layout.num_heads, layout.value_dim);
  p.sinks = FunctionBuilder::weight(node, 4);
  p.kv_group = context.kv.group(state);
  p.page_offset = context.kv.offset(state);
  Attention& shape = p.shape;
  shape.head_bytes = layout.head_bytes();
  shape.keys = run_of(layout.keys, layout.key_dim, layout.key_rotation, layout.keys_at(0));
  shape.values =
      run_of(layout.values, layout.value_dim, layout.value_rotation, layout.values_at(0));
  shape.num_heads = static_cast<std::int32_t>(layout.num_heads);
  shape.num_query_heads = static_cast<std::int32_t>(query_heads);
  shape.window = static_cast<std::int32_t>(builder.module().states[state].window);
  shape.most_pages =
      static_cast<std::int32_t>(count_of(context.options.context_length, kPagePositions));
  shape.max_splits =
      static_cast<std::int32_t>(count_of(context.options.context_length, kSplitPositions));
  set_options(shape, attention_options(node));
  p.y = builder.new_output(node);
  add_scratch(builder, p);
  builder.emit<AttentionOperation>(p);
}

Refusal refuse_attention(const Module&, const Function& function, const Node& node) {
  for (const std::size_t operand : {std::size_t{0}, std::size_t{2}}) {
    const std::int64_t dim = function.values[node.operands[operand].index].shape.last();
    if (dim > kMostHeadNumbers) {
      return "heads of " + std::to_string(dim) + "; this backend takes at most " +
             std::to_string(kMostHeadNumbers);
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const OperationDescriptor> attention_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.attention/1", backend::kAttentionAttributes, compile_attention,
                          refuse_attention},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86

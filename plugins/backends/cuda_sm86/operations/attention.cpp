#include "kernels/attention/attention.hpp"

#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class AttentionOperation final : public Operation {
 public:
  struct Parameters {
    BufferId q;
    BufferId k;
    BufferId v;
    BufferId y;
    BufferId partials;
    std::int64_t sinks;        ///< index of the weight, or -1
    std::size_t kv_group;      ///< of this state
    std::int64_t page_offset;  ///< of this state in a page of its group
    Attention shape;           ///< everything that does not depend on the step
  };
  explicit AttentionOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.q, p_.k, p_.v};
    writes = {p_.y, p_.partials};
  }

  cudaError_t launch(const StepContext& step) const override {
    const KvPagesOfStep& kv = step.kv[p_.kv_group];
    Attention attention = p_.shape;
    attention.q = step.floats(p_.q);
    attention.k = step.floats(p_.k);
    attention.v = step.floats(p_.v);
    attention.y = step.floats(p_.y);
    attention.partials = step.floats(p_.partials);
    attention.sinks = step.weights->numbers(p_.sinks);
    attention.pages = reinterpret_cast<unsigned char*>(kv.pages + p_.page_offset);
    attention.page_stride = kv.page_stride;
    attention.page_ids = kv.page_ids;
    attention.token_sequence = step.token_sequence;
    attention.sequences = step.sequences;
    attention.counts = step.counts;
    const cudaError_t error = launch_append(attention, step.size);
    return error != cudaSuccess ? error : launch_attention(attention, step.size);
  }

 private:
  Parameters p_;
};

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

void compile_attention(FunctionBuilder& builder, const Node& node) {
  const CompileContext& context = builder.context();
  const std::uint32_t state = node.operands[3].index;
  const backend::KvLayout& layout = context.kv_layouts[state];
  AttentionOperation::Parameters p{};
  p.q = builder.operand(node, 0);
  p.k = builder.operand(node, 1);
  p.v = builder.operand(node, 2);
  p.sinks = FunctionBuilder::weight(node, 4);
  p.kv_group = context.kv.group(state);
  p.page_offset = context.kv.offset(state);
  Attention& shape = p.shape;
  shape.head_bytes = layout.head_bytes();
  shape.keys = run_of(layout.keys, layout.key_dim, layout.key_rotation, layout.keys_at(0));
  shape.values =
      run_of(layout.values, layout.value_dim, layout.value_rotation, layout.values_at(0));
  shape.num_heads = static_cast<std::int32_t>(layout.num_heads);
  shape.num_query_heads = static_cast<std::int32_t>(builder.operand_shape(node, 0)[1]);
  shape.window = static_cast<std::int32_t>(builder.module().states[state].window);
  shape.most_pages =
      static_cast<std::int32_t>(count_of(context.options.context_length, kPagePositions));
  shape.max_splits =
      static_cast<std::int32_t>(count_of(context.options.context_length, kSplitPositions));
  const AttentionOptions options = attention_options(node);
  shape.scale = static_cast<float>(options.scale);
  shape.softcap = static_cast<float>(options.softcap);
  shape.is_causal = options.causal;
  p.y = builder.new_output(node);
  const std::int64_t rows = std::int64_t{kMostSplitTokens} * shape.num_query_heads;
  p.partials = builder.add_buffer(rows * shape.max_splits * (layout.value_dim + 2) * kFloatBytes);
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

#include "operations/attention.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

AttentionOperation::AttentionOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.q, p_.k, p_.v};
  writes = {p_.y, p_.partials};
  scratch_bytes = attention_scratch_floats(p_.shape) * static_cast<std::int64_t>(sizeof(float));
}

void AttentionOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Attention attention = p_.shape;
  attention.q = step.values(p_.q);
  attention.out = step.floats(p_.y);
  if (p_.sinks >= 0) attention.sinks = step.weights->numbers(static_cast<std::uint32_t>(p_.sinks));
  const KvPagesOfStep& kv = step.kv[p_.kv_group];
  attention.pages = kv.pages + p_.page_offset;
  attention.page_stride = kv.page_stride;
  attention.sequences = kv.sequences;
  worker.parallel_for(step.num_tokens, chunk_of(step.num_tokens, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        append_kv(attention, step.values(p_.k), step.values(p_.v), first, last);
                      });
  worker.barrier();
  const AttentionSchedule& schedule = step.schedules[static_cast<std::size_t>(p_.schedule)];
  float* scratch = step.worker_scratch(worker);
  float* partials = step.floats(p_.partials);
  worker.parallel_for(static_cast<std::int64_t>(schedule.items.size()), 1,
                      [&](std::int64_t i, std::int64_t) {
                        run_attention_item(attention, schedule.items[static_cast<std::size_t>(i)],
                                           schedule.max_splits, partials, scratch);
                      });
  if (schedule.max_splits == 0) return;
  worker.barrier();
  const std::int64_t rows = step.num_tokens * attention.num_query_heads;
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    merge_attention_rows(attention, schedule.max_splits, partials, first, last, scratch);
  });
}

namespace {

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
  p.shape.layout = context.kv_layouts[state];
  p.shape.num_query_heads = builder.operand_shape(node, 0)[1];
  p.shape.window = builder.module().states[state].window;
  const AttentionOptions options = attention_options(node);
  p.shape.scale = static_cast<float>(options.scale);
  p.shape.softcap = static_cast<float>(options.softcap);
  p.shape.is_causal = options.causal;
  p.shape.kernels = &page_kernels(context.instruction_set);
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

Refusal refuse_attention(const Module&, const Function& function, const Node& node) {
  return refuse_heads(function, node, 0, 2);
}

}  // namespace

std::span<const OperationDescriptor> attention_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.attention/1", backend::kAttentionAttributes, compile_attention,
                          refuse_attention},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2

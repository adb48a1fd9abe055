#include "operations/positions.hpp"

#include <utility>

namespace vernal::cpu_avx2 {

RopeTableOperation::RopeTableOperation(RopeParameters parameters, std::int64_t factors,
                                       std::int64_t num_axes, BufferId positions, BufferId table)
    : parameters_(std::move(parameters)), factors_(factors), num_axes_(num_axes) {
  reads = {positions};
  writes = {table};
}

void RopeTableOperation::prepare(const Weights& weights) {
  std::vector<float> factors;
  if (factors_ >= 0) {
    const float* numbers = weights.numbers(static_cast<std::uint32_t>(factors_));
    factors.assign(numbers, numbers + parameters_.n_rot / 2);
  }
  frequencies_ = rope_frequencies(parameters_, factors, num_axes_);
}

void RopeTableOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const RopeTable table = rope_table(step, writes[0], parameters_.n_rot / 2);
  const std::int32_t* positions = step.integers(reads[0]);
  worker.parallel_for(step.num_tokens, chunk_of(step.num_tokens, worker),
                      [&](std::int64_t first, std::int64_t last) {
                        fill_rope_table(frequencies_, positions, num_axes_, table, first, last);
                      });
}

RopeTable rope_table(const StepContext& step, BufferId table, std::int64_t num_pairs) {
  float* cosines = step.floats(table);
  return {cosines, cosines + step.num_tokens * num_pairs, num_pairs};
}

RopeOperation::RopeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.table};
  writes = {p_.y};
}

void RopeOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Rope rope;
  rope.x = step.values(p_.x);
  rope.y = step.floats(p_.y);
  rope.table = rope_table(step, p_.table, p_.num_pairs);
  rope.num_heads = p_.num_heads;
  rope.head_dim = p_.head_dim;
  rope.is_interleaved = p_.is_interleaved;
  worker.parallel_for(
      step.num_tokens, chunk_of(step.num_tokens, worker),
      [&](std::int64_t first, std::int64_t last) { rope_tokens(rope, first, last); });
}

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

}  // namespace vernal::cpu_avx2

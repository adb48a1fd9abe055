#include "operations/recurrent.hpp"

#include <algorithm>

namespace vernal::cpu_avx2 {

namespace {

float* state_of(const StepContext& step, std::int64_t sequence, std::int64_t offset) {
  return reinterpret_cast<float*>(step.slots[static_cast<std::size_t>(sequence)] + offset);
}

}  // namespace

ConvOperation::ConvOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void ConvOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Conv1d conv = p_.shape;
  conv.x = step.values(p_.x);
  conv.weight = step.weights->numbers(p_.weight);
  if (p_.bias >= 0) conv.bias = step.weights->numbers(static_cast<std::uint32_t>(p_.bias));
  conv.y = step.floats(p_.y);
  const std::int64_t parts = (conv.num_channels + kConvChannels - 1) / kConvChannels;
  const std::int64_t items = static_cast<std::int64_t>(step.sequences.size()) * parts;
  worker.parallel_for(items, chunk_of(items, worker), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const AttentionSequence& s = step.sequences[static_cast<std::size_t>(i / parts)];
      const ConvSequence sequence{state_of(step, i / parts, p_.slot_offset), s.start, s.count,
                                  s.first_position};
      const std::int64_t first = i % parts * kConvChannels;
      conv1d_channels(conv, sequence, first, std::min(first + kConvChannels, conv.num_channels));
    }
  });
}

DeltaRuleOperation::DeltaRuleOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.q, p_.k, p_.v, p_.g, p_.beta};
  writes = {p_.y};
  scratch_bytes = delta_rule_scratch_floats(p_.shape) * static_cast<std::int64_t>(sizeof(float));
}

void DeltaRuleOperation::run(const StepContext& step, Worker& worker) const noexcept {
  DeltaRule rule = p_.shape;
  rule.q = step.values(p_.q);
  rule.k = step.values(p_.k);
  rule.v = step.values(p_.v);
  rule.g = step.values(p_.g);
  rule.beta = step.values(p_.beta);
  rule.y = step.floats(p_.y);
  const std::int64_t heads = rule.num_value_heads;
  const std::int64_t items = static_cast<std::int64_t>(step.sequences.size()) * heads;
  worker.parallel_for(items, 1, [&](std::int64_t i, std::int64_t) {
    const AttentionSequence& s = step.sequences[static_cast<std::size_t>(i / heads)];
    const DeltaSequence sequence{state_of(step, i / heads, p_.slot_offset), s.start, s.count,
                                 s.first_position};
    run_delta_rule(rule, sequence, i % heads, step.worker_scratch(worker));
  });
}

}  // namespace vernal::cpu_avx2

#include "kernels/recurrent/delta_rule.hpp"

#include "kernels/elementwise/elementwise.hpp"
#include "kernels/elementwise/rmsnorm.hpp"
#include "kernels/recurrent/delta_block.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Copies one head of q or k, normalised if the rule says so.
void prepare_row(const DeltaRule& rule, const float* x, float factor, float* out) {
  if (rule.is_normalized) {
    RmsNorm norm;
    norm.x = x;
    norm.y = out;
    norm.num_columns = rule.key_dim;
    norm.epsilon = rule.epsilon;
    norm.is_l2 = true;
    rmsnorm_rows(norm, 0, 1);
    x = out;
  }
  scale(x, factor, out, 0, rule.key_dim);
}

void prepare_block(const DeltaHead& head, const DeltaBlock& block) {
  const DeltaRule& rule = head.rule;
  const std::int64_t key_head = rule.key_head(head.head);
  for (std::int64_t n = 0; n < block.count; ++n) {
    const std::int64_t at =
        (head.token(block.first + n) * rule.num_key_heads + key_head) * rule.key_dim;
    prepare_row(rule, rule.k + at, 1.0F, block.keys + n * rule.key_dim);
    prepare_row(rule, rule.q + at, rule.scale, block.queries + n * rule.key_dim);
    std::copy_n(rule.v + head.value_at(block.first + n), rule.value_dim,
                block.values + n * rule.value_dim);
  }
}

void store_results(const DeltaHead& head, const DeltaBlock& block) {
  const std::int64_t value_dim = head.rule.value_dim;
  for (std::int64_t n = 0; n < block.count; ++n) {
    std::copy_n(block.values + n * value_dim, value_dim,
                head.rule.y + head.value_at(block.first + n));
  }
}

}  // namespace

std::int64_t delta_rule_scratch_floats(const DeltaRule& rule) {
  return kPanelColumns * rule.key_dim +
         kDeltaBlock * (2 * rule.key_dim + rule.value_dim + rule.num_gates() + 1);
}

void run_delta_rule(const DeltaRule& rule, const DeltaSequence& sequence, std::int64_t head,
                    float* scratch) {
  const DeltaHead here{rule, sequence, head};
  DeltaBlock block;
  block.keys = scratch + kPanelColumns * rule.key_dim;
  block.queries = block.keys + kDeltaBlock * rule.key_dim;
  block.values = block.queries + kDeltaBlock * rule.key_dim;
  block.decays = block.values + kDeltaBlock * rule.value_dim;
  block.products = block.decays + kDeltaBlock * rule.num_gates();
  if (rule.num_versions > 1 && sequence.count <= kDeltaBlock) {
    block.panel = scratch;
  } else {
    here.fetch(0, rule.key_dim * rule.value_dim, here.working_panel(0));
  }
  while (block.first < sequence.count) {
    block.count = std::min(kDeltaBlock, sequence.count - block.first);
    prepare_block(here, block);
    run_delta_block(here, block);
    store_results(here, block);
    block.first += block.count;
  }
  _mm_sfence();  // what went past the caches is written before another thread reads it
}

}  // namespace vernal::cpu_avx2

// The delta rule token by token. A panel of the state (16 KiB for a key_dim of 128) stays in the
// first-level cache while all tokens of a block pass over it; a pass applies what the token before
// changed and collects what this one reads, so S is loaded and stored once for each token:
//
//   S <- d' S + k' u'^T  (the token before),   a = S^T (d k),   b = S^T (d q)
//   u = beta (v - a),    y = b + (k.q) u
//
// with d = e^g, which is the definition with the decay drawn into k and q.
#include <cstdint>

#include "delta_block.hpp"
#include "elementwise.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// The block's inputs with the decay drawn in.
struct StepInputs {
  float* decays;           // [count], or [count][key_dim]
  float* decayed_keys;     // [count][key_dim]
  float* decayed_queries;  // [count][key_dim]
  float* products;         // [count]: k . q
};

StepInputs step_inputs(const DeltaRule& rule, float* work) {
  const std::int64_t size = kDeltaBlock * rule.key_dim;
  return {work, work + size, work + 2 * size, work + 3 * size};
}

float dot(const float* a, const float* b, std::int64_t count) {
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < count; i += kLanes) {
    sum = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), sum);
  }
  return sum_lanes(sum);
}

void multiply(const float* a, const float* decays, bool is_by_key, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const __m256 d = is_by_key ? _mm256_loadu_ps(decays + i) : _mm256_set1_ps(*decays);
    _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(a + i), d));
  }
}

void draw_decay_in(const DeltaHead& head, const DeltaBlock& block, const StepInputs& inputs) {
  const DeltaRule& rule = head.rule;
  const std::int64_t width = rule.has_key_gates ? rule.key_dim : 1;
  for (std::int64_t n = 0; n < block.count; ++n) {
    const float* key = block.keys + n * rule.key_dim;
    const float* query = block.queries + n * rule.key_dim;
    float* decays = inputs.decays + n * width;
    std::copy_n(head.gates(block.first + n), width, decays);
    activate(Activation::kExp, decays, decays, 0, width);
    inputs.products[n] = dot(key, query, rule.key_dim);
    multiply(key, decays, rule.has_key_gates, rule.key_dim, inputs.decayed_keys + n * rule.key_dim);
    multiply(query, decays, rule.has_key_gates, rule.key_dim,
             inputs.decayed_queries + n * rule.key_dim);
  }
}

/// What a token does to a panel: S <- d S + k u^T.
template <int kVectors>
struct Change {
  const float* key;
  const float* decays;
  __m256 u[kVectors];
};

template <int kVectors, bool kKeyGates>
inline void change_row(const Change<kVectors>& change, std::int64_t i, float* row, __m256* s) {
  const __m256 key = _mm256_broadcast_ss(change.key + i);
  const __m256 decay = _mm256_broadcast_ss(change.decays + (kKeyGates ? i : 0));
#pragma GCC unroll 4
  for (int c = 0; c < kVectors; ++c) {
    s[c] = _mm256_fmadd_ps(key, change.u[c], _mm256_mul_ps(decay, s[c]));
    _mm256_storeu_ps(row + kLanes * c, s[c]);
  }
}

/// Applies a change, to be kept in `kept` as well if that is not null.
template <int kVectors, bool kKeyGates>
void apply(const Change<kVectors>& change, std::int64_t key_dim, float* panel, float* kept) {
  for (std::int64_t i = 0; i < key_dim; ++i) {
    float* row = panel + i * kVectors * kLanes;
    __m256 s[kVectors];
    for (int c = 0; c < kVectors; ++c) s[c] = _mm256_loadu_ps(row + kLanes * c);
    change_row<kVectors, kKeyGates>(change, i, row, s);
    if (kept == nullptr) continue;
    for (int c = 0; c < kVectors; ++c) {
      _mm256_storeu_ps(kept + (i * kVectors + c) * kLanes, s[c]);
    }
  }
}

/// a = S^T key, b = S^T query, after the change if there is one.
template <int kVectors, bool kKeyGates, bool kChanges>
void read_panel(const Change<kVectors>& change, std::int64_t key_dim, float* panel,
                const float* key, const float* query, __m256* a, __m256* b) {
  __m256 sum_a[kVectors];
  __m256 sum_b[kVectors];
  for (int c = 0; c < kVectors; ++c) sum_a[c] = sum_b[c] = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < key_dim; ++i) {
    float* row = panel + i * kVectors * kLanes;
    __m256 s[kVectors];
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) s[c] = _mm256_loadu_ps(row + kLanes * c);
    if constexpr (kChanges) change_row<kVectors, kKeyGates>(change, i, row, s);
    const __m256 k = _mm256_broadcast_ss(key + i);
    const __m256 q = _mm256_broadcast_ss(query + i);
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      sum_a[c] = _mm256_fmadd_ps(k, s[c], sum_a[c]);
      sum_b[c] = _mm256_fmadd_ps(q, s[c], sum_b[c]);
    }
  }
  std::copy_n(sum_a, kVectors, a);
  std::copy_n(sum_b, kVectors, b);
}

template <int kVectors, bool kKeyGates>
void step_panel(const DeltaHead& head, const DeltaBlock& block, const StepInputs& inputs,
                std::int64_t column) {
  const std::int64_t key_dim = head.rule.key_dim;
  float* panel = head.working_panel(column);
  Change<kVectors> change{};
  bool is_pending = false;
  for (std::int64_t n = 0; n < block.count; ++n) {
    const float* key = inputs.decayed_keys + n * key_dim;
    const float* query = inputs.decayed_queries + n * key_dim;
    __m256 a[kVectors];
    __m256 b[kVectors];
    if (is_pending) {
      read_panel<kVectors, kKeyGates, true>(change, key_dim, panel, key, query, a, b);
    } else {
      read_panel<kVectors, kKeyGates, false>(change, key_dim, panel, key, query, a, b);
    }
    const std::int64_t t = block.first + n;
    const __m256 beta = _mm256_set1_ps(head.beta(t));
    const __m256 product = _mm256_set1_ps(inputs.products[n]);
    float* values = block.values + n * head.rule.value_dim + column;
    for (int c = 0; c < kVectors; ++c) {
      const __m256 v = _mm256_loadu_ps(values + kLanes * c);
      change.u[c] = _mm256_mul_ps(beta, _mm256_sub_ps(v, a[c]));
      _mm256_storeu_ps(values + kLanes * c, _mm256_fmadd_ps(product, change.u[c], b[c]));
    }
    change.key = block.keys + n * key_dim;
    change.decays = inputs.decays + n * (kKeyGates ? key_dim : 1);
    float* kept = head.kept_panel(t, column);
    is_pending = kept == nullptr;
    if (!is_pending) apply<kVectors, kKeyGates>(change, key_dim, panel, kept);
  }
  if (is_pending) apply<kVectors, kKeyGates>(change, key_dim, panel, nullptr);
}

template <bool kKeyGates>
void step_panels(const DeltaHead& head, const DeltaBlock& block, const StepInputs& inputs) {
  for_each_panel(head.rule, [&](std::int64_t column, std::int64_t width) {
    switch (width / kLanes) {
      case 1:
        step_panel<1, kKeyGates>(head, block, inputs, column);
        break;
      case 2:
        step_panel<2, kKeyGates>(head, block, inputs, column);
        break;
      case 3:
        step_panel<3, kKeyGates>(head, block, inputs, column);
        break;
      default:
        step_panel<4, kKeyGates>(head, block, inputs, column);
        break;
    }
  });
}

}  // namespace

std::int64_t delta_step_floats(const DeltaRule& rule) {
  return 3 * kDeltaBlock * rule.key_dim + kDeltaBlock;
}

void run_delta_steps(const DeltaHead& head, const DeltaBlock& block) {
  const StepInputs inputs = step_inputs(head.rule, block.work);
  draw_decay_in(head, block, inputs);
  if (head.rule.has_key_gates) {
    step_panels<true>(head, block, inputs);
  } else {
    step_panels<false>(head, block, inputs);
  }
}

}  // namespace vernal::cpu_avx2

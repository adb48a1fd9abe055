#include "kernels/recurrent/delta_block.hpp"

#include <cstdint>

#include "kernels/elementwise/elementwise.hpp"

namespace vernal::cpu_avx2 {

namespace {

float dot(const float* a, const float* b, std::int64_t count) {
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < count; i += kLanes) {
    sum = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), sum);
  }
  return sum_lanes(sum);
}

void prepare_factors(const DeltaHead& head, const DeltaBlock& block) {
  const DeltaRule& rule = head.rule;
  const std::int64_t width = rule.num_gates();
  for (std::int64_t n = 0; n < block.count; ++n) {
    float* decays = block.decays + n * width;
    std::copy_n(head.gates(block.first + n), width, decays);
    activate(Activation::kExp, decays, decays, 0, width);
    block.products[n] =
        dot(block.keys + n * rule.key_dim, block.queries + n * rule.key_dim, rule.key_dim);
  }
}

/// What the token before still has to do to a panel: S <- S + k u^T.
template <int kVectors>
struct Change {
  const float* key;
  __m256 u[kVectors];
};

/// Applies a change, and calls also(offset, numbers) for every eight numbers of the panel.
template <int kVectors, class Also>
void apply(const Change<kVectors>& change, std::int64_t key_dim, float* panel, const Also& also) {
  for (std::int64_t i = 0; i < key_dim; ++i) {
    const __m256 key = _mm256_broadcast_ss(change.key + i);
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      const std::int64_t at = (i * kVectors + c) * kLanes;
      const __m256 s = _mm256_fmadd_ps(key, change.u[c], _mm256_loadu_ps(panel + at));
      _mm256_storeu_ps(panel + at, s);
      also(at, s);
    }
  }
}

/// Applies a change, and writes the panel to `kept` as well.
template <int kVectors>
void apply_and_keep(const Change<kVectors>& change, std::int64_t key_dim, float* panel,
                    float* kept) {
  if (reinterpret_cast<std::uintptr_t>(kept) % sizeof(__m256) == 0) {
    apply(change, key_dim, panel,
          [kept](std::int64_t at, __m256 s) { _mm256_stream_ps(kept + at, s); });
  } else {
    apply(change, key_dim, panel,
          [kept](std::int64_t at, __m256 s) { _mm256_storeu_ps(kept + at, s); });
  }
}

/// A token on its way over a panel.
struct Token {
  const float* decays;
  const float* key;
  const float* query;
};

/// S <- d (S + change), a = S^T key, b = S^T query.
template <int kVectors, bool kKeyGates, bool kChanges>
void pass_over(const Token& token, const Change<kVectors>& change, std::int64_t key_dim,
               float* panel, __m256* a, __m256* b) {
  __m256 sum_a[kVectors];
  __m256 sum_b[kVectors];
  for (int c = 0; c < kVectors; ++c) sum_a[c] = sum_b[c] = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < key_dim; ++i) {
    float* row = panel + i * kVectors * kLanes;
    const __m256 decay = _mm256_broadcast_ss(token.decays + (kKeyGates ? i : 0));
    const __m256 k = _mm256_broadcast_ss(token.key + i);
    const __m256 q = _mm256_broadcast_ss(token.query + i);
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      __m256 s = _mm256_loadu_ps(row + kLanes * c);
      if constexpr (kChanges) {
        s = _mm256_fmadd_ps(_mm256_broadcast_ss(change.key + i), change.u[c], s);
      }
      s = _mm256_mul_ps(decay, s);
      _mm256_storeu_ps(row + kLanes * c, s);
      sum_a[c] = _mm256_fmadd_ps(k, s, sum_a[c]);
      sum_b[c] = _mm256_fmadd_ps(q, s, sum_b[c]);
    }
  }
  std::copy_n(sum_a, kVectors, a);
  std::copy_n(sum_b, kVectors, b);
}

template <int kVectors, bool kKeyGates>
void run_panel(const DeltaHead& head, const DeltaBlock& block, std::int64_t column) {
  const std::int64_t key_dim = head.rule.key_dim;
  const bool is_apart = block.panel != nullptr;
  float* panel = is_apart ? block.panel : head.working_panel(column);
  if (is_apart) head.fetch(column, key_dim * kVectors * kLanes, panel);
  Change<kVectors> change{};
  bool is_pending = false;
  for (std::int64_t n = 0; n < block.count; ++n) {
    const Token token{block.decays + n * (kKeyGates ? key_dim : 1), block.keys + n * key_dim,
                      block.queries + n * key_dim};
    __m256 a[kVectors];
    __m256 b[kVectors];
    if (is_pending) {
      pass_over<kVectors, kKeyGates, true>(token, change, key_dim, panel, a, b);
    } else {
      pass_over<kVectors, kKeyGates, false>(token, change, key_dim, panel, a, b);
    }
    const std::int64_t t = block.first + n;
    const __m256 beta = _mm256_set1_ps(head.beta(t));
    const __m256 product = _mm256_set1_ps(block.products[n]);
    float* values = block.values + n * head.rule.value_dim + column;
    for (int c = 0; c < kVectors; ++c) {
      const __m256 v = _mm256_loadu_ps(values + kLanes * c);
      change.u[c] = _mm256_mul_ps(beta, _mm256_sub_ps(v, a[c]));
      _mm256_storeu_ps(values + kLanes * c, _mm256_fmadd_ps(product, change.u[c], b[c]));
    }
    change.key = token.key;
    const bool is_result = is_apart && n + 1 == block.count;
    float* kept = is_result ? head.working_panel(column) : head.kept_panel(t, column);
    is_pending = kept == nullptr;
    if (!is_pending) apply_and_keep(change, key_dim, panel, kept);
  }
  if (is_pending) apply(change, key_dim, panel, [](std::int64_t, __m256) {});
}

template <bool kKeyGates>
void run_panels(const DeltaHead& head, const DeltaBlock& block) {
  const std::int64_t num_columns = head.rule.value_dim;
  for (std::int64_t column = 0; column < num_columns; column += kPanelColumns) {
    switch (std::min(kPanelColumns, num_columns - column) / kLanes) {
      case 1:
        run_panel<1, kKeyGates>(head, block, column);
        break;
      case 2:
        run_panel<2, kKeyGates>(head, block, column);
        break;
      case 3:
        run_panel<3, kKeyGates>(head, block, column);
        break;
      default:
        run_panel<4, kKeyGates>(head, block, column);
        break;
    }
  }
}

}  // namespace

void run_delta_block(const DeltaHead& head, const DeltaBlock& block) {
  prepare_factors(head, block);
  if (head.rule.has_key_gates) {
    run_panels<true>(head, block);
  } else {
    run_panels<false>(head, block);
  }
}

}  // namespace vernal::cpu_avx2

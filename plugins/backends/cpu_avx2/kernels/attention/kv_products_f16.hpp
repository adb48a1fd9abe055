// The two products of attention with a page of f16 keys and values: scores = Q K^T, sums += P V.
//
// One order per row, whatever rows are beside it: scores are one f32 chain over dim, sums one f32
// chain over the slots.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/kv_pass.hpp"

namespace vernal::cpu_avx2 {

/// scores[r * 64 + slot] = q[r] . key[slot] for the slots given and their neighbours up to a
/// multiple of 32, which may be garbage. Asks for the run `ahead` on the way.
///   q  [kRows][dim]
template <int kRows>
void score_page_f16(const float* q, const KvRun& keys, const std::byte* ahead, Slots slots,
                    float* scores) {
  constexpr int kVectors = kVectorsOfPass<kRows>;
  constexpr std::int64_t kStep = kLanes * kVectors;
  for (std::int64_t slot = slots.first / kStep * kStep; slot < slots.last; slot += kStep) {
    __m256 sums[kRows][kVectors];
    for (auto& row : sums) {
      for (__m256& sum : row) sum = _mm256_setzero_ps();
    }
    for (std::int64_t i = 0; i < keys.dim; ++i) {
      const std::byte* p = keys.data + 2 * (i * kPageTokens + slot);
      prefetch<Into::kSecondCache>(ahead, 2 * i * kPageTokens);
      __m256 key[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) key[v] = load_f16(p + 16 * v);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256 number = _mm256_broadcast_ss(q + r * keys.dim + i);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_fmadd_ps(number, key[v], sums[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        _mm256_storeu_ps(scores + r * kPageTokens + slot + kLanes * v, sums[r][v]);
      }
    }
    ahead = ahead_of_next_pass(ahead, slot < kStep);
  }
}

/// Numbers [i, i + 8 * kVectors) of the sums.
template <int kRows, int kVectors>
inline void add_numbers_f16(const float* weights, const KvRun& values, const std::byte* ahead,
                            std::int64_t i, Slots slots, ValueSums sums) {
  __m256 total[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      total[r][v] = _mm256_loadu_ps(sums.data + r * sums.stride + i + kLanes * v);
    }
  }
  for (std::int64_t slot = slots.first; slot < slots.last; ++slot) {
    prefetch<Into::kSecondCache>(ahead, 2 * (slot * values.dim + i));
    __m256 value[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      value[v] = load_f16(values.data + 2 * (slot * values.dim + i + kLanes * v));
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256 weight = _mm256_broadcast_ss(weights + r * kPageTokens + slot);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        total[r][v] = _mm256_fmadd_ps(weight, value[v], total[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      _mm256_storeu_ps(sums.data + r * sums.stride + i + kLanes * v, total[r][v]);
    }
  }
}

/// sums[r] += factors[r] * weights[r * 64 + slot] * value[slot], over the slots. Asks for
/// the run `ahead` on the way.
template <int kRows>
void add_page_f16(const float* weights, const float* factors, const KvRun& values,
                  const std::byte* ahead, Slots slots, ValueSums sums) {
  constexpr int kVectors = kVectorsOfPass<kRows>;
  alignas(32) float scaled[kRows * kPageTokens];
  for (int r = 0; r < kRows; ++r) {
    const __m256 factor = _mm256_set1_ps(factors[r]);
    for (std::int64_t slot = 0; slot < kPageTokens; slot += kLanes) {
      const std::int64_t at = r * kPageTokens + slot;
      _mm256_store_ps(scaled + at, _mm256_mul_ps(_mm256_loadu_ps(weights + at), factor));
    }
  }
  std::int64_t i = 0;
  for (; i + kLanes * kVectors <= values.dim; i += kLanes * kVectors) {
    add_numbers_f16<kRows, kVectors>(scaled, values, ahead, i, slots, sums);
  }
  for (; i < values.dim; i += kLanes) {
    add_numbers_f16<kRows, 1>(scaled, values, nullptr, i, slots, sums);
  }
}

}  // namespace vernal::cpu_avx2

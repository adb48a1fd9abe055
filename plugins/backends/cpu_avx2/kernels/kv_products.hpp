// The two products of attention with one page of the KV cache, read as stored: scores = Q K^T and
// sums += P V. Up to six rows share each widened vector of codes, in registers.
//
// One order per row, whatever rows are beside it:
//   scores  f16: one f32 chain over dim; q8_0: a chain per 32 numbers, total = total + chain *
//   scale values  one f32 chain over the slots; q8_0: the weight is multiplied with the value's
//   scale first
#pragma once

#include <cstddef>
#include <cstdint>

#include "kv_page.hpp"
#include "simd.hpp"

namespace vernal::cpu_avx2 {

/// Most rows that share a pass over a page.
inline constexpr int kMostRows = 6;

/// Rows for the next pass out of `left`: six where possible, but seven and eight are cut in halves,
/// for one or two rows alone would leave the multipliers waiting.
inline int rows_of_pass(std::int64_t left) {
  if (left == 7 || left == 8) return 4;
  return static_cast<int>(left < kMostRows ? left : kMostRows);
}

/// Slots [first, last) of a page.
struct Slots {
  std::int64_t first;
  std::int64_t last;
};

template <KvFormat kFormat>
struct KvCodes;

template <>
struct KvCodes<KvFormat::kF16> {
  static constexpr std::int64_t kBytes = 2;
  static __m256 load(const std::byte* p) { return load_f16(p); }
};

template <>
struct KvCodes<KvFormat::kQ8_0> {
  static constexpr std::int64_t kBytes = 1;
  static __m256 load(const std::byte* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_64(p)));
  }
};

/// scales of group `group` for eight slots from `slot` on, or of one slot for eight groups' worth
/// of weights: the f16 lie [dim / 32][64] behind the codes.
inline __m256 scales_of(const std::byte* run, std::int64_t dim, std::int64_t group,
                        std::int64_t slot) {
  return load_f16(run + kPageTokens * dim + (group * kPageTokens + slot) * 2);
}

/// sums[r][v] = chain over numbers [begin, end) of the queries with the keys of 8 * kVectors slots.
template <KvFormat kFormat, int kRows, int kVectors>
inline void chain_keys(const float* const* q, const std::byte* codes, Slots numbers,
                       __m256 (&sums)[kRows][kVectors]) {
  constexpr std::int64_t kBytes = KvCodes<kFormat>::kBytes;
  for (auto& row : sums) {
    for (__m256& sum : row) sum = _mm256_setzero_ps();
  }
  for (std::int64_t i = numbers.first; i < numbers.last; ++i) {
    const std::byte* p = codes + i * kPageTokens * kBytes;
    __m256 keys[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) keys[v] = KvCodes<kFormat>::load(p + 8 * v * kBytes);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256 number = _mm256_broadcast_ss(q[r] + i);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm256_fmadd_ps(number, keys[v], sums[r][v]);
    }
  }
}

/// Scores of kRows queries with slots [slot, slot + 8 * kVectors).
template <KvFormat kFormat, int kRows, int kVectors>
inline void score_slots(const float* const* q, const std::byte* run, std::int64_t dim,
                        std::int64_t slot, float* scores) {
  __m256 sums[kRows][kVectors];
  const std::byte* codes = run + slot * KvCodes<kFormat>::kBytes;
  if constexpr (kFormat == KvFormat::kF16) {
    chain_keys<kFormat, kRows, kVectors>(q, codes, {0, dim}, sums);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        _mm256_storeu_ps(scores + r * kPageTokens + slot + 8 * v, sums[r][v]);
      }
    }
    return;
  }
  for (std::int64_t group = 0; group < dim / kKvGroup; ++group) {
    chain_keys<kFormat, kRows, kVectors>(q, codes, {group * kKvGroup, (group + 1) * kKvGroup},
                                         sums);
    for (int v = 0; v < kVectors; ++v) {
      const __m256 scale = scales_of(run, dim, group, slot + 8 * v);
      for (int r = 0; r < kRows; ++r) {
        float* total = scores + r * kPageTokens + slot + 8 * v;
        const __m256 before = group == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(total);
        _mm256_storeu_ps(total, _mm256_fmadd_ps(sums[r][v], scale, before));
      }
    }
  }
}

/// scores[r * 64 + slot] = q[r] . key[slot] for the slots given and their neighbours up to a
/// multiple of 32.
template <KvFormat kFormat, int kRows>
void score_page(const float* const* q, const std::byte* run, std::int64_t dim, Slots slots,
                float* scores) {
  constexpr int kVectors = kRows > 3 ? 2 : 4;  // at most twelve sums in registers
  constexpr std::int64_t kStep = 8 * kVectors;
  for (std::int64_t slot = slots.first / kStep * kStep; slot < slots.last; slot += kStep) {
    score_slots<kFormat, kRows, kVectors>(q, run, dim, slot, scores);
  }
}

/// sums[r * stride + i] += sum over slots of weights[r * 64 + slot] * value[slot][i], for numbers
/// [i, i + 8 * kVectors).
template <KvFormat kFormat, int kRows, int kVectors>
inline void add_numbers(const float* weights, const KvRun& run, std::int64_t i, Slots slots,
                        float* sums, std::int64_t stride) {
  constexpr std::int64_t kBytes = KvCodes<kFormat>::kBytes;
  __m256 total[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) total[r][v] = _mm256_loadu_ps(sums + r * stride + i + 8 * v);
  }
  const std::byte* codes = run.data + i * kBytes;
  for (std::int64_t slot = slots.first; slot < slots.last; ++slot) {
    __m256 values[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      values[v] = KvCodes<kFormat>::load(codes + (slot * run.dim + 8 * v) * kBytes);
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256 weight = _mm256_broadcast_ss(weights + r * kPageTokens + slot);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        total[r][v] = _mm256_fmadd_ps(weight, values[v], total[r][v]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      _mm256_storeu_ps(sums + r * stride + i + 8 * v, total[r][v]);
    }
  }
}

/// out[r * 64 + slot] = weights[r * 64 + slot] * scale of the slot's group.
template <int kRows>
inline void scale_weights(const float* weights, const KvRun& run, std::int64_t group, float* out) {
  for (std::int64_t slot = 0; slot < kPageTokens; slot += kLanes) {
    const __m256 scale = scales_of(run.data, run.dim, group, slot);
    for (int r = 0; r < kRows; ++r) {
      const __m256 weight = _mm256_loadu_ps(weights + r * kPageTokens + slot);
      _mm256_storeu_ps(out + r * kPageTokens + slot, _mm256_mul_ps(weight, scale));
    }
  }
}

/// sums[r][0..dim) += weights[r][slots] V.
template <KvFormat kFormat, int kRows>
void add_page_values(const float* weights, const KvRun& run, Slots slots, float* sums,
                     std::int64_t stride) {
  constexpr int kVectors = kRows > 3 ? 2 : 4;
  constexpr std::int64_t kStep = 8 * kVectors;
  if constexpr (kFormat == KvFormat::kQ8_0) {
    alignas(32) float scaled[kRows * kPageTokens];
    for (std::int64_t i = 0; i < run.dim; i += kStep) {
      if (i % kKvGroup == 0) scale_weights<kRows>(weights, run, i / kKvGroup, scaled);
      add_numbers<kFormat, kRows, kVectors>(scaled, run, i, slots, sums, stride);
    }
    return;
  }
  std::int64_t i = 0;
  for (; i + kStep <= run.dim; i += kStep) {
    add_numbers<kFormat, kRows, kVectors>(weights, run, i, slots, sums, stride);
  }
  for (; i < run.dim; i += kLanes) {
    add_numbers<kFormat, kRows, 1>(weights, run, i, slots, sums, stride);
  }
}

/// Asks for a run of memory that will be needed soon.
inline void prefetch_run(const std::byte* data, std::int64_t bytes) {
  for (std::int64_t line = 0; line < bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(data + line), _MM_HINT_T1);
  }
}

}  // namespace vernal::cpu_avx2

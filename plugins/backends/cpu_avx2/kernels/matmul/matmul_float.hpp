// Matrix kernels over plain floats (f32, f16, bf16), with f32 activations.
//
// A vector holds eight columns; kRows rows times kTokens tokens share their loads in registers. The
// lanes of a sum are added up only at the end, for eight rows at once, so every tile shape gives
// the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.hpp"
#include "kernels/matmul/row_group.hpp"

namespace vernal::cpu_avx2 {

struct F32Weights {
  static constexpr std::int64_t kBytes = 4;
  static __m256 load(const std::byte* p) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  }
};

struct F16Weights {
  static constexpr std::int64_t kBytes = 2;
  static __m256 load(const std::byte* p) { return load_f16(p); }
};

struct Bf16Weights {
  static constexpr std::int64_t kBytes = 2;
  static __m256 load(const std::byte* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_128(p)), 16));
  }
};

/// Columns [k, k + count) with count < 8, zeros behind them.
template <class Weights>
inline __m256 load_tail(const std::byte* p, std::int64_t count) {
  alignas(32) std::byte padded[8 * Weights::kBytes] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(count * Weights::kBytes));
  return Weights::load(padded);
}

/// sums[8 * n + r] = lanes of row r with token n, for kRows rows from first_row on.
template <class Weights, int kRows, int kTokens>
inline void dot_floats(const Matmul& matmul, const RowGroup& group, int first_row,
                       std::int64_t token, __m256* sums) {
  const std::int64_t num_columns = matmul.weights.num_columns;
  const std::int64_t row_bytes = num_columns * Weights::kBytes;
  const float* x = matmul.x + token * matmul.x_stride;
  __m256 total[kRows][kTokens];
  for (auto& row : total) {
    for (__m256& sum : row) sum = _mm256_setzero_ps();
  }
  const auto step = [&](auto load_weights, auto load_x) {
    __m256 a[kTokens];
    for (int n = 0; n < kTokens; ++n) a[n] = load_x(x + n * matmul.x_stride);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m256 w = load_weights(group.data + (first_row + r) * row_bytes);
#pragma GCC unroll 4
      for (int n = 0; n < kTokens; ++n) total[r][n] = _mm256_fmadd_ps(w, a[n], total[r][n]);
    }
  };
  std::int64_t k = 0;
  for (; k + kLanes <= num_columns; k += kLanes) {
    step([&](const std::byte* row) { return Weights::load(row + k * Weights::kBytes); },
         [&](const float* row) { return _mm256_loadu_ps(row + k); });
  }
  if (k < num_columns) {
    const std::int64_t count = num_columns - k;
    const __m256i mask = lane_mask(count);
    step([&](const std::byte* row) { return load_tail<Weights>(row + k * Weights::kBytes, count); },
         [&](const float* row) { return _mm256_maskload_ps(row + k, mask); });
  }
  for (int r = 0; r < kRows; ++r) {
    for (int n = 0; n < kTokens; ++n) sums[8 * n + first_row + r] = total[r][n];
  }
}

/// y for kTokens tokens from `token` on and the eight rows of `rows`.
template <class Weights, int kTokens>
void multiply_floats(const Matmul& matmul, const RowGroup& group, std::int64_t token) {
  constexpr int kRows = kTokens == 1 ? 8 : 4;  // 8 or 12 sums in flight
  __m256 sums[8 * kTokens];
  for (int r = 0; r < 8; r += kRows) {
    dot_floats<Weights, kRows, kTokens>(matmul, group, r, token, sums);
  }
  for (int n = 0; n < kTokens; ++n) group.store(matmul, token + n, sum_each(sums + 8 * n));
}

/// The kernel of one format: matmul_groups() for it.
template <class Weights>
void matmul_groups_float(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  for_each_tile(matmul, 4 * matmul.weights.num_columns, first, last,
                [&](const RowGroup& group, std::int64_t token, std::int64_t count) {
                  const std::int64_t end = token + count;
                  std::int64_t t = token;
                  for (; t + 3 <= end; t += 3) multiply_floats<Weights, 3>(matmul, group, t);
                  if (end - t == 2) multiply_floats<Weights, 2>(matmul, group, t);
                  if (end - t == 1) multiply_floats<Weights, 1>(matmul, group, t);
                });
}

}  // namespace vernal::cpu_avx2

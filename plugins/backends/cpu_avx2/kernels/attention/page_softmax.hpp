// The scores of one row in one page become weights.
#pragma once

#include <limits>

#include "kernels/attention/page_kernels.hpp"
#include "kernels/simd.hpp"
#include "kernels/vector_math.hpp"

namespace vernal::cpu_avx2 {

/// Scales and caps the scores, -inf where unseen; returns the greatest.
inline float mask_scores(float* scores, Slots seen, ScoreScaling scaling) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  const __m256 scale = _mm256_set1_ps(scaling.scale);
  const __m256 cap = _mm256_set1_ps(scaling.softcap);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i first = _mm256_set1_epi32(static_cast<std::int32_t>(seen.first));
  const __m256i last = _mm256_set1_epi32(static_cast<std::int32_t>(seen.last));
  __m256 greatest = _mm256_set1_ps(kLowest);
  for (std::int64_t j = 0; j < kPageTokens; j += kLanes) {
    __m256 v = _mm256_mul_ps(_mm256_loadu_ps(scores + j), scale);
    if (scaling.softcap > 0.0F) v = _mm256_mul_ps(cap, tanh_ps(_mm256_div_ps(v, cap)));
    const __m256i slot = _mm256_add_epi32(lanes, _mm256_set1_epi32(static_cast<std::int32_t>(j)));
    const __m256i unseen =
        _mm256_or_si256(_mm256_cmpgt_epi32(first, slot),
                        _mm256_xor_si256(_mm256_cmpgt_epi32(last, slot), _mm256_set1_epi32(-1)));
    v = _mm256_blendv_ps(v, _mm256_set1_ps(kLowest), _mm256_castsi256_ps(unseen));
    _mm256_storeu_ps(scores + j, v);
    greatest = _mm256_max_ps(greatest, v);
  }
  return max_lanes(greatest);
}

/// PageKernels::weigh for AVX2.
inline PageWeights weigh_scores(float* scores, Slots seen, ScoreScaling scaling) {
  const float greatest = mask_scores(scores, seen, scaling);
  const __m256 top = _mm256_set1_ps(greatest);
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t j = 0; j < kPageTokens; j += kLanes) {
    const __m256 weight = exp_ps(_mm256_sub_ps(_mm256_loadu_ps(scores + j), top));
    _mm256_storeu_ps(scores + j, weight);
    sum = _mm256_add_ps(sum, weight);
  }
  return {greatest, sum_lanes(sum)};
}

}  // namespace vernal::cpu_avx2

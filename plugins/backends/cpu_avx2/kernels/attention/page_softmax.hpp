// The scores of one row in one page become weights.
#pragma once

#include <limits>

#include "kernels/attention/page_kernels.hpp"
#include "kernels/simd.hpp"
#include "kernels/vector_math.hpp"

namespace vernal::cpu_avx2 {

/// Scales and caps the scores, -inf where unseen; returns the greatest.
template <bool kSeesAll>
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
    if constexpr (!kSeesAll) {
      const __m256i slot = _mm256_add_epi32(lanes, _mm256_set1_epi32(static_cast<std::int32_t>(j)));
      const __m256i unseen =
          _mm256_or_si256(_mm256_cmpgt_epi32(first, slot),
                          _mm256_xor_si256(_mm256_cmpgt_epi32(last, slot), _mm256_set1_epi32(-1)));
      v = _mm256_blendv_ps(v, _mm256_set1_ps(kLowest), _mm256_castsi256_ps(unseen));
    }
    _mm256_storeu_ps(scores + j, v);
    greatest = _mm256_max_ps(greatest, v);
  }
  return max_lanes(greatest);
}

/// The bits of exp_ps(x) for x <= 0, where no result is too large: 2^n is one factor then.
inline __m256 exp_of_negative(__m256 x) {
  const __m256 lowest = _mm256_set1_ps(-87.33654F);
  const __m256 bounded = _mm256_max_ps(lowest, x);
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(bounded, _mm256_set1_ps(1.44269504F)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
  const __m256 scaled =
      _mm256_mul_ps(exp_series(bounded, n), _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
  return _mm256_andnot_ps(_mm256_cmp_ps(x, lowest, _CMP_LT_OQ), scaled);
}

/// PageKernels::weigh for AVX2.
inline PageWeights weigh_scores(float* scores, Slots seen, ScoreScaling scaling) {
  const bool sees_all = seen.first <= 0 && seen.last >= kPageTokens;
  const float greatest = sees_all ? mask_scores<true>(scores, seen, scaling)
                                  : mask_scores<false>(scores, seen, scaling);
  const __m256 top = _mm256_set1_ps(greatest);
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t j = 0; j < kPageTokens; j += kLanes) {
    const __m256 weight = exp_of_negative(_mm256_sub_ps(_mm256_loadu_ps(scores + j), top));
    _mm256_storeu_ps(scores + j, weight);
    sum = _mm256_add_ps(sum, weight);
  }
  return {greatest, sum_lanes(sum)};
}

}  // namespace vernal::cpu_avx2

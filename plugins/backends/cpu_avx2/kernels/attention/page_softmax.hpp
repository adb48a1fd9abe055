// The scores of rows in a page become weights.
#pragma once

#include <limits>

#include "kernels/attention/page_kernels.hpp"
#include "kernels/simd.hpp"
#include "kernels/vector_math.hpp"

namespace vernal::cpu_avx2 {

inline constexpr std::int64_t kVectorsOfPage = kPageTokens / kLanes;

/// 2^y of y <= 0, with a relative error below 2e-7; 2^-126 for all that is less. y = n + f with a whole n
/// and |f| <= 1/2; 2^f by the polynomial of the fifth degree with p(0) = 1 and the least relative error
/// (found by Lawson's iteration), whose exponent is raised by n.
inline __m256 power_of_two(__m256 y) {
  const __m256 bounded = _mm256_max_ps(_mm256_set1_ps(-126.0F), y);
  // From 2^23 on a float has no fraction: the sum is rounded to a whole number, its low bits.
  const __m256 whole = _mm256_set1_ps(12582912.0F);
  const __m256 n = _mm256_add_ps(bounded, whole);
  const __m256 f = _mm256_sub_ps(bounded, _mm256_sub_ps(n, whole));
  __m256 p = _mm256_set1_ps(kPowerTerms[4]);
#pragma GCC unroll 4
  for (int i = 3; i >= 0; --i) p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(kPowerTerms[i]));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0F));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
}

/// Lanes [8 k, 8 k + 8) of a page that the row sees, as a mask.
inline __m256 seen_lanes(Slots seen, int k) {
  const auto at = static_cast<std::int64_t>(kLanes * k);
  return _mm256_castsi256_ps(
      _mm256_andnot_si256(lane_mask(seen.first - at), lane_mask(seen.last - at)));
}

/// PageKernels::weigh where `kSeesAll` says whether the row sees the whole page, and kIsPlain that
/// scores need not be capped nor change their order, and can stay in the units they have.
template <bool kSeesAll, bool kIsPlain>
inline PageWeights weigh_row(float* scores, Slots seen, ScoreScaling scaling) {
  const __m256 scale = _mm256_set1_ps(scaling.scale);
  const __m256 cap = _mm256_set1_ps(scaling.softcap);
  const __m256 lowest = _mm256_set1_ps(-std::numeric_limits<float>::infinity());
  __m256 score[kVectorsOfPage];
  __m256 greatest = lowest;
#pragma GCC unroll 8
  for (int k = 0; k < kVectorsOfPage; ++k) {
    __m256 v = _mm256_loadu_ps(scores + kLanes * k);
    if constexpr (!kIsPlain) {
      v = _mm256_mul_ps(v, scale);
      if (scaling.softcap > 0.0F) v = _mm256_mul_ps(cap, tanh_ps(_mm256_div_ps(v, cap)));
    }
    if constexpr (!kSeesAll) v = _mm256_blendv_ps(lowest, v, seen_lanes(seen, k));
    score[k] = v;
    greatest = _mm256_max_ps(greatest, v);
  }
  const float top = max_lanes(greatest);
  const __m256 unit = _mm256_set1_ps(kIsPlain ? kLog2OfE * scaling.scale : kLog2OfE);
  __m256 sum = _mm256_setzero_ps();
#pragma GCC unroll 8
  for (int k = 0; k < kVectorsOfPage; ++k) {
    const __m256 below = _mm256_sub_ps(score[k], _mm256_set1_ps(top));
    __m256 weight = power_of_two(_mm256_mul_ps(below, unit));
    if constexpr (!kSeesAll) weight = _mm256_and_ps(weight, seen_lanes(seen, k));
    _mm256_storeu_ps(scores + kLanes * k, weight);
    sum = _mm256_add_ps(sum, weight);
  }
  return {kIsPlain ? top * scaling.scale : top, sum_lanes(sum)};
}

/// PageKernels::weigh_eight for AVX2: what belongs to rows is computed for all at once.
inline void weigh_eight_rows(float* scores, const float* scales, float* greatest, float* sums) {
  __m256 most[8];
  for (int r = 0; r < 8; ++r) {
    const float* row = scores + r * kPageTokens;
    most[r] = _mm256_loadu_ps(row);
#pragma GCC unroll 8
    for (int k = 1; k < kVectorsOfPage; ++k) {
      most[r] = _mm256_max_ps(most[r], _mm256_loadu_ps(row + kLanes * k));
    }
  }
  alignas(32) float tops[8];
  alignas(32) float units[8];
  const __m256 top = max_lanes_of_each(most);
  const __m256 scale = _mm256_loadu_ps(scales);
  _mm256_store_ps(tops, top);
  _mm256_store_ps(units, _mm256_mul_ps(_mm256_set1_ps(kLog2OfE), scale));
  _mm256_storeu_ps(greatest, _mm256_mul_ps(top, scale));
  __m256 sum[8];
  for (int r = 0; r < 8; ++r) {
    float* row = scores + r * kPageTokens;
    sum[r] = _mm256_setzero_ps();
#pragma GCC unroll 8
    for (int k = 0; k < kVectorsOfPage; ++k) {
      const __m256 below =
          _mm256_sub_ps(_mm256_loadu_ps(row + kLanes * k), _mm256_broadcast_ss(tops + r));
      const __m256 weight = power_of_two(_mm256_mul_ps(below, _mm256_broadcast_ss(units + r)));
      _mm256_storeu_ps(row + kLanes * k, weight);
      sum[r] = _mm256_add_ps(sum[r], weight);
    }
  }
  _mm256_storeu_ps(sums, sum_lanes_of_each(sum));
}

/// PageKernels::weigh for AVX2.
inline PageWeights weigh_scores(float* scores, Slots seen, ScoreScaling scaling) {
  const bool sees_all = seen.first <= 0 && seen.last >= kPageTokens;
  if (!is_plain(scaling)) return weigh_row<false, false>(scores, seen, scaling);
  return sees_all ? weigh_row<true, true>(scores, seen, scaling)
                  : weigh_row<false, true>(scores, seen, scaling);
}

}  // namespace vernal::cpu_avx2

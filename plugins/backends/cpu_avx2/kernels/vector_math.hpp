// Elementary functions on eight f32 lanes. The same input lane gives the same bits in any lane and
// any call; no tables, no libm.
#pragma once

#include <immintrin.h>

namespace vernal::cpu_avx2 {

/// e^(x - n ln 2) for a whole n with which |x - n ln 2| <= ln 2 / 2: its Taylor series to the seventh
/// power.
inline __m256 exp_series(__m256 x, __m256 n) {
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375F), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4F), r);
  __m256 series = _mm256_set1_ps(1.0F / 5040.0F);
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F / 720.0F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F / 120.0F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F / 24.0F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F / 6.0F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(0.5F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F));
  series = _mm256_fmadd_ps(series, r, _mm256_set1_ps(1.0F));
  return series;
}

/// e^x. Relative error below 2e-7 for -87.3 <= x <= 88.7; 0 below, +inf above; NaN stays NaN.
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series to r^7, whose next term is below
/// 2^-28 there.
inline __m256 exp_ps(__m256 x) {
  const __m256 lowest = _mm256_set1_ps(-87.33654F);
  const __m256 highest = _mm256_set1_ps(88.72284F);
  // Bounds first: a NaN passes through both, for max/min return their second operand then.
  const __m256 bounded = _mm256_min_ps(highest, _mm256_max_ps(lowest, x));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(bounded, _mm256_set1_ps(1.44269504F)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256 series = exp_series(bounded, n);
  // 2^n in two factors: n = 128 has no float of its own.
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const auto power = [](__m256i e) {
    const __m256i biased = _mm256_add_epi32(e, _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
  };
  const __m256 scaled =
      _mm256_mul_ps(_mm256_mul_ps(series, power(half)), power(_mm256_sub_epi32(whole, half)));
  const __m256 below = _mm256_cmp_ps(x, lowest, _CMP_LT_OQ);
  const __m256 above = _mm256_cmp_ps(x, highest, _CMP_GT_OQ);
  const __m256 infinity = _mm256_set1_ps(__builtin_inff());
  return _mm256_blendv_ps(_mm256_andnot_ps(below, scaled), infinity, above);
}

/// 1 / (1 + e^-x). Absolute error below 2e-7.
inline __m256 sigmoid_ps(__m256 x) {
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 negated = _mm256_xor_ps(x, _mm256_set1_ps(-0.0F));
  return _mm256_div_ps(one, _mm256_add_ps(one, exp_ps(negated)));
}

/// tanh x = 1 - 2 / (1 + e^2x), and its series where that difference would cancel. Relative error
/// below 1e-6.
inline __m256 tanh_ps(__m256 x) {
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 e = exp_ps(_mm256_add_ps(x, x));
  const __m256 far = _mm256_sub_ps(one, _mm256_div_ps(_mm256_set1_ps(2.0F), _mm256_add_ps(one, e)));
  const __m256 square = _mm256_mul_ps(x, x);
  __m256 series = _mm256_set1_ps(62.0F / 2835.0F);
  series = _mm256_fmadd_ps(series, square, _mm256_set1_ps(-17.0F / 315.0F));
  series = _mm256_fmadd_ps(series, square, _mm256_set1_ps(2.0F / 15.0F));
  series = _mm256_fmadd_ps(series, square, _mm256_set1_ps(-1.0F / 3.0F));
  const __m256 near = _mm256_fmadd_ps(_mm256_mul_ps(series, square), x, x);
  const __m256 is_near = _mm256_cmp_ps(square, _mm256_set1_ps(0.0625F), _CMP_LT_OQ);
  return _mm256_blendv_ps(far, near, is_near);
}

}  // namespace vernal::cpu_avx2

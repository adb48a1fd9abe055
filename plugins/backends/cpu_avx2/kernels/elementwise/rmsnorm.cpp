#include "kernels/elementwise/rmsnorm.hpp"

#include <cmath>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

float sum_of_squares(const float* x, std::int64_t count) {
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                    _mm256_setzero_ps()};
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    for (int k = 0; k < 4; ++k) {
      const __m256 v = _mm256_loadu_ps(x + i + 8 * k);
      sums[k] = _mm256_fmadd_ps(v, v, sums[k]);
    }
  }
  for (; i + kLanes <= count; i += kLanes) {
    const __m256 v = _mm256_loadu_ps(x + i);
    sums[0] = _mm256_fmadd_ps(v, v, sums[0]);
  }
  if (i < count) {
    const __m256 v = _mm256_maskload_ps(x + i, lane_mask(count - i));
    sums[1] = _mm256_fmadd_ps(v, v, sums[1]);
  }
  return sum_lanes(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
}

void scale_row(const float* x, const float* weight, float factor, std::int64_t count, float* y) {
  const __m256 f = _mm256_set1_ps(factor);
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), f);
    if (weight) v = _mm256_mul_ps(v, _mm256_loadu_ps(weight + i));
    _mm256_storeu_ps(y + i, v);
  }
  for (; i < count; ++i) {
    const float v = x[i] * factor;
    y[i] = weight ? v * weight[i] : v;
  }
}

}  // namespace

void rmsnorm_rows(const RmsNorm& norm, std::int64_t first, std::int64_t last) {
  const std::int64_t n = norm.num_columns;
  for (std::int64_t row = first; row < last; ++row) {
    const float* x = norm.x + row * n;
    const float square = sum_of_squares(x, n) / (norm.is_l2 ? 1.0F : static_cast<float>(n));
    scale_row(x, norm.weight, 1.0F / std::sqrt(square + norm.epsilon), n, norm.y + row * n);
  }
}

}  // namespace vernal::cpu_avx2

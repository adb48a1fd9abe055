#include "kernels/attention/hadamard.hpp"

#include <cmath>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// (a, b) -> (a + b, a - b) of neighbours: `swapped` holds each lane's partner, `signs` -0 in the
/// lanes of b.
__m256 butterfly(__m256 v, __m256 swapped, __m256 signs) {
  return _mm256_add_ps(swapped, _mm256_xor_ps(v, signs));
}

/// The three steps inside a vector: partners 1, 2 and 4 lanes away.
__m256 rotate_lanes(__m256 v) {
  const __m256 ones = _mm256_setr_ps(0.0F, -0.0F, 0.0F, -0.0F, 0.0F, -0.0F, 0.0F, -0.0F);
  const __m256 twos = _mm256_setr_ps(0.0F, 0.0F, -0.0F, -0.0F, 0.0F, 0.0F, -0.0F, -0.0F);
  const __m256 fours = _mm256_setr_ps(0.0F, 0.0F, 0.0F, 0.0F, -0.0F, -0.0F, -0.0F, -0.0F);
  v = butterfly(v, _mm256_permute_ps(v, 0xB1), ones);
  v = butterfly(v, _mm256_permute_ps(v, 0x4E), twos);
  return butterfly(v, _mm256_permute2f128_ps(v, v, 1), fours);
}

void rotate_block(float* x, std::int64_t block) {
  const __m256 norm = _mm256_set1_ps(1.0F / std::sqrt(static_cast<float>(block)));
  for (std::int64_t i = 0; i < block; i += kLanes) {
    _mm256_storeu_ps(x + i, _mm256_mul_ps(rotate_lanes(_mm256_loadu_ps(x + i)), norm));
  }
  for (std::int64_t half = kLanes; half < block; half *= 2) {
    for (std::int64_t first = 0; first < block; first += 2 * half) {
      for (std::int64_t i = first; i < first + half; i += kLanes) {
        const __m256 a = _mm256_loadu_ps(x + i);
        const __m256 b = _mm256_loadu_ps(x + i + half);
        _mm256_storeu_ps(x + i, _mm256_add_ps(a, b));
        _mm256_storeu_ps(x + i + half, _mm256_sub_ps(a, b));
      }
    }
  }
}

}  // namespace

void rotate_row(float* x, std::int64_t dim, std::int64_t block) {
  for (std::int64_t first = 0; first < dim; first += block) rotate_block(x + first, block);
}

}  // namespace vernal::cpu_avx2

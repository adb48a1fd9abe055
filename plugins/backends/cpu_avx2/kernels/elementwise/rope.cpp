#include "kernels/elementwise/rope.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// (u, v) -> (u cos - v sin, u sin + v cos) with u at j and v at j + num_pairs.
void rotate_halves(const float* x, const float* cosines, const float* sines, std::int64_t num_pairs,
                   float* y) {
  for (std::int64_t j = 0; j < num_pairs; j += kLanes) {
    const std::int64_t here = std::min(kLanes, num_pairs - j);
    const __m256i mask = lane_mask(here);
    const __m256 u = _mm256_maskload_ps(x + j, mask);
    const __m256 v = _mm256_maskload_ps(x + num_pairs + j, mask);
    const __m256 c = _mm256_maskload_ps(cosines + j, mask);
    const __m256 s = _mm256_maskload_ps(sines + j, mask);
    _mm256_maskstore_ps(y + j, mask, _mm256_fmsub_ps(u, c, _mm256_mul_ps(v, s)));
    _mm256_maskstore_ps(y + num_pairs + j, mask, _mm256_fmadd_ps(u, s, _mm256_mul_ps(v, c)));
  }
}

/// The same with u at 2j and v at 2j + 1.
void rotate_neighbours(const float* x, const float* cosines, const float* sines,
                       std::int64_t num_pairs, float* y) {
  for (std::int64_t j = 0; j < num_pairs; ++j) {
    const float u = x[2 * j];
    const float v = x[2 * j + 1];
    y[2 * j] = u * cosines[j] - v * sines[j];
    y[2 * j + 1] = u * sines[j] + v * cosines[j];
  }
}

}  // namespace

void fill_rope_table(const RopeFrequencies& frequencies, const std::int32_t* positions,
                     std::int64_t num_axes, const RopeTable& table, std::int64_t first,
                     std::int64_t last) {
  const auto magnitude = static_cast<double>(frequencies.magnitude);
  for (std::int64_t token = first; token < last; ++token) {
    const std::int32_t* position = positions + token * num_axes;
    for (std::int64_t pair = 0; pair < table.num_pairs; ++pair) {
      const auto i = static_cast<std::size_t>(pair);
      const double angle = position[frequencies.axis[i]] * frequencies.radians_per_position[i];
      const std::int64_t at = token * table.num_pairs + pair;
      table.cosines[at] = static_cast<float>(magnitude * std::cos(angle));
      table.sines[at] = static_cast<float>(magnitude * std::sin(angle));
    }
  }
}

void rope_tokens(const Rope& rope, std::int64_t first, std::int64_t last) {
  const std::int64_t num_pairs = rope.table.num_pairs;
  const std::int64_t num_turning = 2 * num_pairs;
  for (std::int64_t token = first; token < last; ++token) {
    const float* cosines = rope.table.cosines + token * num_pairs;
    const float* sines = rope.table.sines + token * num_pairs;
    for (std::int64_t head = 0; head < rope.num_heads; ++head) {
      const std::int64_t at = (token * rope.num_heads + head) * rope.head_dim;
      if (rope.is_interleaved) {
        rotate_neighbours(rope.x + at, cosines, sines, num_pairs, rope.y + at);
      } else {
        rotate_halves(rope.x + at, cosines, sines, num_pairs, rope.y + at);
      }
      if (rope.x != rope.y) {
        std::copy(rope.x + at + num_turning, rope.x + at + rope.head_dim,
                  rope.y + at + num_turning);
      }
    }
  }
}

}  // namespace vernal::cpu_avx2

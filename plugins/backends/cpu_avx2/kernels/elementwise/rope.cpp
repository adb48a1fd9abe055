#include "kernels/elementwise/rope.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Bounds of the pairs between which yarn changes over from extrapolation to interpolation.
struct YarnRamp {
  double low;
  double high;
};

YarnRamp yarn_ramp(const RopeParameters& p) {
  const auto n = static_cast<double>(p.n_rot);
  const auto pair_of = [&](double turns) {
    const double wavelengths = p.original_context_length / (2.0 * std::numbers::pi * turns);
    return n * std::log(wavelengths) / (2.0 * std::log(p.base));
  };
  return {std::max(0.0, std::floor(pair_of(p.beta_fast))),
          std::min(n - 1.0, std::ceil(pair_of(p.beta_slow)))};
}

double yarn(const RopeParameters& p, double f, std::int64_t pair) {
  const YarnRamp ramp = yarn_ramp(p);
  const double at = (static_cast<double>(pair) - ramp.low) / std::max(0.001, ramp.high - ramp.low);
  const double r = p.extrapolation * (1.0 - std::clamp(at, 0.0, 1.0));
  return f / p.factor * (1.0 - r) + f * r;
}

double banded(const RopeParameters& p, double f) {
  const double wavelength = 2.0 * std::numbers::pi / f;
  const double length = p.original_context_length;
  if (wavelength > length / p.low_freq_factor) return f / p.factor;
  if (wavelength < length / p.high_freq_factor) return f;
  const double s =
      (length / wavelength - p.low_freq_factor) / (p.high_freq_factor - p.low_freq_factor);
  return (1.0 - s) * f / p.factor + s * f;
}

double scaled(const RopeParameters& p, double f, std::int64_t pair) {
  switch (p.scaling) {
    case RopeScaling::kLinear:
      return f / p.factor;
    case RopeScaling::kYarn:
      return yarn(p, f, pair);
    case RopeScaling::kBanded:
      return banded(p, f);
    case RopeScaling::kNone:
    case RopeScaling::kLongrope:
      break;
  }
  return f;
}

std::uint8_t axis_of(const RopeParameters& p, std::int64_t pair, std::int64_t num_axes) {
  if (p.axes == RopeAxes::kOne) return 0;
  if (p.axes == RopeAxes::kInterleaved) {
    const auto axis = static_cast<std::size_t>(pair % 3);
    if (pair < 3 * p.sections[axis]) return static_cast<std::uint8_t>(axis);
    return num_axes == 3 ? 0 : 3;
  }
  std::int64_t end = 0;
  for (std::size_t axis = 0; axis < p.sections.size(); ++axis) {
    end += p.sections[axis];
    if (pair < end) return static_cast<std::uint8_t>(axis);
  }
  return 0;
}

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

RopeFrequencies rope_frequencies(const RopeParameters& parameters,
                                 const std::vector<float>& factors, std::int64_t num_axes) {
  RopeFrequencies out;
  out.magnitude = static_cast<float>(parameters.magnitude);
  const auto n = static_cast<double>(parameters.n_rot);
  for (std::int64_t pair = 0; pair < parameters.n_rot / 2; ++pair) {
    double f = std::pow(parameters.base, -2.0 * static_cast<double>(pair) / n);
    if (!factors.empty()) f /= static_cast<double>(factors[static_cast<std::size_t>(pair)]);
    out.radians_per_position.push_back(scaled(parameters, f, pair));
    out.axis.push_back(axis_of(parameters, pair, num_axes));
  }
  return out;
}

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

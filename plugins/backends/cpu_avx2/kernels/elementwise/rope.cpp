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

YarnRamp yarn_ramp(const RopeOptions& options) {
  const auto n = static_cast<double>(options.n_rot);
  const auto length = static_cast<double>(options.scaling.original_context_length);
  const auto pair_of = [&](double turns) {
    const double wavelengths = length / (2.0 * std::numbers::pi * turns);
    return n * std::log(wavelengths) / (2.0 * std::log(options.base));
  };
  return {std::max(0.0, std::floor(pair_of(options.scaling.beta_fast))),
          std::min(n - 1.0, std::ceil(pair_of(options.scaling.beta_slow)))};
}

double yarn(const RopeOptions& options, double f, std::int64_t pair) {
  const YarnRamp ramp = yarn_ramp(options);
  const double at = (static_cast<double>(pair) - ramp.low) / std::max(0.001, ramp.high - ramp.low);
  const double r = options.scaling.extrapolation * (1.0 - std::clamp(at, 0.0, 1.0));
  return f / options.scaling.factor * (1.0 - r) + f * r;
}

double banded(const RopeScaling& scaling, double f) {
  const double wavelength = 2.0 * std::numbers::pi / f;
  const auto length = static_cast<double>(scaling.original_context_length);
  if (wavelength > length / scaling.low_freq_factor) return f / scaling.factor;
  if (wavelength < length / scaling.high_freq_factor) return f;
  const double s = (length / wavelength - scaling.low_freq_factor) /
                   (scaling.high_freq_factor - scaling.low_freq_factor);
  return (1.0 - s) * f / scaling.factor + s * f;
}

double scaled(const RopeOptions& options, double f, std::int64_t pair) {
  const std::string_view kind = options.scaling.kind;
  if (kind == "linear") return f / options.scaling.factor;
  if (kind == "yarn") return yarn(options, f, pair);
  return kind == "banded" ? banded(options.scaling, f) : f;
}

std::uint8_t axis_of(const RopeOptions& options, std::int64_t pair, std::int64_t num_axes) {
  if (options.mrope == "none") return 0;
  if (options.mrope == "interleaved") {
    const auto axis = static_cast<std::size_t>(pair % 3);
    if (pair < 3 * options.sections[axis]) return static_cast<std::uint8_t>(axis);
    return num_axes == 3 ? 0 : 3;
  }
  std::int64_t end = 0;
  for (std::size_t axis = 0; axis < options.sections.size(); ++axis) {
    end += options.sections[axis];
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

RopeFrequencies rope_frequencies(const RopeOptions& options, const std::vector<float>& factors,
                                 std::int64_t num_axes) {
  RopeFrequencies out;
  out.magnitude = static_cast<float>(options.scaling.magnitude);
  const auto n = static_cast<double>(options.n_rot);
  for (std::int64_t pair = 0; pair < options.n_rot / 2; ++pair) {
    double f = std::pow(options.base, -2.0 * static_cast<double>(pair) / n);
    if (!factors.empty()) f /= static_cast<double>(factors[static_cast<std::size_t>(pair)]);
    out.radians_per_position.push_back(scaled(options, f, pair));
    out.axis.push_back(axis_of(options, pair, num_axes));
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

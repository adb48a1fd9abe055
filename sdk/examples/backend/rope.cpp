// Rotary position embedding. Sources: Su et al. 2021, "RoFormer"; for scaling, Peng et al. 2023,
// "YaRN", and the release of Llama 3.1.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "operations.hpp"

namespace reference {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;

/// The weight of the unscaled frequency of pair `i` in YaRN: 1 for fast pairs, 0 for slow pairs.
double yarn_mix(const vernal::RopeOptions& options, double i) {
  const auto n_rot = static_cast<double>(options.n_rot);
  const auto length = static_cast<double>(options.scaling.original_context_length);
  const auto pair_of = [&](double rotations) {
    return n_rot * std::log(length / (rotations * kTwoPi)) / (2.0 * std::log(options.base));
  };
  const double low = std::max(0.0, std::floor(pair_of(options.scaling.beta_fast)));
  const double high = std::min(n_rot - 1, std::ceil(pair_of(options.scaling.beta_slow)));
  const double ramp = std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);
  return (1.0 - ramp) * options.scaling.extrapolation;
}

/// Banded scaling: the frequencies of long waves are divided by the factor, those of short waves
/// are kept, and those in between are mixed.
double banded_frequency(const vernal::RopeScaling& scaling, double frequency) {
  const auto length = static_cast<double>(scaling.original_context_length);
  const double low = scaling.low_freq_factor;
  const double high = scaling.high_freq_factor;
  const double wavelength = kTwoPi / frequency;
  if (wavelength < length / high) return frequency;
  if (wavelength > length / low) return frequency / scaling.factor;
  const double smooth = (length / wavelength - low) / (high - low);
  return (1.0 - smooth) * frequency / scaling.factor + smooth * frequency;
}

/// The angle by which each pair turns from one position to the next.
std::vector<double> frequencies(const vernal::RopeOptions& options,
                                const std::vector<float>& factors) {
  const vernal::RopeScaling& scaling = options.scaling;
  std::vector<double> out(static_cast<std::size_t>(options.n_rot / 2));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto pair = static_cast<double>(i);
    double frequency = std::pow(options.base, -2.0 * pair / static_cast<double>(options.n_rot));
    if (!factors.empty()) frequency /= static_cast<double>(factors[i]);
    if (scaling.kind == "linear") frequency /= scaling.factor;
    if (scaling.kind == "banded") frequency = banded_frequency(scaling, frequency);
    if (scaling.kind == "yarn") {
      const double mix = yarn_mix(options, pair);
      frequency = frequency / scaling.factor * (1.0 - mix) + frequency * mix;
    }
    out[i] = frequency;
  }
  return out;
}

/// The position axis of pair `i`. The sections say how many pairs each axis has.
std::int64_t axis_of(const vernal::RopeOptions& options, std::int64_t i, std::int64_t num_axes) {
  if (options.mrope == "none") return 0;
  const auto& s = options.sections;
  if (options.mrope == "interleaved") {
    const std::int64_t axis = i % 3;
    if (i < 3 * s[static_cast<std::size_t>(axis)]) return axis;
    return num_axes > 3 ? 3 : 0;
  }
  if (i < s[0]) return 0;
  if (i < s[0] + s[1]) return 1;
  return i < s[0] + s[1] + s[2] ? 2 : std::min<std::int64_t>(3, num_axes - 1);
}

}  // namespace

void run_rope(const vernal::Node& node, StepContext& context) {
  const Tensor& x = context.in(node, 0);
  const Tensor& positions = context.in(node, 1);
  const vernal::RopeOptions options = vernal::rope_options(node);
  const std::int64_t pairs = options.n_rot / 2;
  const bool interleaved = options.style == "interleaved";
  const double magnitude = options.scaling.magnitude;
  const std::vector<double> frequency = frequencies(options, context.weight_row(node, 2));
  const std::int64_t axes = positions.last();
  const std::int64_t heads = x.dims[1];
  Tensor& out = context.out(node);
  out.floats = x.floats;
  for (std::int64_t row = 0; row < x.num_rows(); ++row) {
    const auto in = x.row(row);
    const auto target = out.row(row);
    for (std::int64_t i = 0; i < pairs; ++i) {
      const std::int64_t axis = axis_of(options, i, axes);
      const double position =
          positions.integers[static_cast<std::size_t>(row / heads * axes + axis)];
      const double angle = position * frequency[static_cast<std::size_t>(i)];
      const auto a = static_cast<std::size_t>(interleaved ? 2 * i : i);
      const auto b = static_cast<std::size_t>(interleaved ? 2 * i + 1 : i + pairs);
      const double cosine = std::cos(angle) * magnitude;
      const double sine = std::sin(angle) * magnitude;
      target[a] = static_cast<float>(in[a] * cosine - in[b] * sine);
      target[b] = static_cast<float>(in[a] * sine + in[b] * cosine);
    }
  }
}

}  // namespace reference

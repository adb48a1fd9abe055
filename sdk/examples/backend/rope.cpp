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
double yarn_mix(const vernal::Node& node, double i, double n_rot) {
  const double base = node.number("base", 10000.0);
  const double length = node.number("original_context_length", 0.0);
  const auto pair_of = [&](double rotations) {
    return n_rot * std::log(length / (rotations * kTwoPi)) / (2.0 * std::log(base));
  };
  const double low = std::max(0.0, std::floor(pair_of(node.number("beta_fast", 32.0))));
  const double high = std::min(n_rot - 1, std::ceil(pair_of(node.number("beta_slow", 1.0))));
  const double ramp = std::clamp((i - low) / std::max(0.001, high - low), 0.0, 1.0);
  return (1.0 - ramp) * node.number("extrapolation", 1.0);
}

/// Banded scaling: the frequencies of long waves are divided by the factor, those of short waves
/// are kept, and those in between are mixed.
double banded_frequency(const vernal::Node& node, double frequency) {
  const double factor = node.number("factor", 1.0);
  const double length = node.number("original_context_length", 0.0);
  const double low = node.number("low_freq_factor", 1.0);
  const double high = node.number("high_freq_factor", 4.0);
  const double wavelength = kTwoPi / frequency;
  if (wavelength < length / high) return frequency;
  if (wavelength > length / low) return frequency / factor;
  const double smooth = (length / wavelength - low) / (high - low);
  return (1.0 - smooth) * frequency / factor + smooth * frequency;
}

/// The angle by which each pair turns from one position to the next.
std::vector<double> frequencies(const vernal::Node& node, const std::vector<float>& factors) {
  const auto n_rot = static_cast<double>(node.integer("n_rot", 0));
  const double base = node.number("base", 10000.0);
  const double factor = node.number("factor", 1.0);
  const std::string_view scaling = node.text("scaling", "none");
  std::vector<double> out(static_cast<std::size_t>(n_rot) / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto pair = static_cast<double>(i);
    double frequency = std::pow(base, -2.0 * pair / n_rot);
    if (!factors.empty()) frequency /= static_cast<double>(factors[i]);
    if (scaling == "linear") frequency /= factor;
    if (scaling == "banded") frequency = banded_frequency(node, frequency);
    if (scaling == "yarn") {
      const double mix = yarn_mix(node, pair, n_rot);
      frequency = frequency / factor * (1.0 - mix) + frequency * mix;
    }
    out[i] = frequency;
  }
  return out;
}

/// The position axis of pair `i`. The sections say how many pairs each axis has.
std::int64_t axis_of(const vernal::Node& node, std::int64_t i, std::int64_t num_axes) {
  const vernal::Attribute* sections = node.find("sections");
  const std::string_view mrope = node.text("mrope", "none");
  if (sections == nullptr || mrope == "none") return 0;
  const auto& s = sections->integers;
  if (mrope == "interleaved") {
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
  const std::int64_t pairs = node.integer("n_rot", 0) / 2;
  const bool interleaved = node.text("style", "neox") == "interleaved";
  const double magnitude = node.number("magnitude", 1.0);
  const std::vector<double> frequency = frequencies(node, context.weight_row(node, 2));
  const std::int64_t axes = positions.last();
  const std::int64_t heads = x.dims[1];
  Tensor& out = context.out(node);
  out.floats = x.floats;
  for (std::int64_t row = 0; row < x.num_rows(); ++row) {
    const auto in = x.row(row);
    const auto target = out.row(row);
    for (std::int64_t i = 0; i < pairs; ++i) {
      const std::int64_t axis = axis_of(node, i, axes);
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

#include "shared/compile/rope_frequencies.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vernal::backend {

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

bool turn_alike(const RopeOptions& a, const RopeOptions& b) {
  return a.n_rot == b.n_rot && a.base == b.base && a.scaling == b.scaling && a.mrope == b.mrope &&
         a.sections == b.sections;
}

}  // namespace vernal::backend

// How far the kernels may be from f64 arithmetic, with reasons. NMSE = sum((x - r)^2) / sum(r^2).
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace vernal::cpu_avx2 {

/// Products with plain floats: f32 rounding of sums over up to 10^4 columns.
inline constexpr double kFloatNmse = 1e-12;

/// 8-bit activations with a scale per 32, in blocks of 32 and of 256: a uniform error of A /
/// sqrt(12) with A = max|x| / 127, and max|x| about 2.1 standard deviations in 32 normal numbers:
/// 2.3e-5. Ten times that for other shapes; sdk/spec/operations.md promises it.
inline constexpr double kEightBitNmse = 2e-4;

/// Experts with 8-bit activations: three products, the last over gated numbers with heavy tails
/// (their largest in 256 is twice as far out), and a weighted sum in which experts partly cancel.
/// As sdk/spec/operations.md promises.
inline constexpr double kExpertsNmse = 5e-4;

/// Attention against f64 on the keys and values as stored. f16: only f32 arithmetic is left. q8_0:
/// queries and weights are 15-bit codes, a step of 3e-5 of the greatest.
inline constexpr double kAttentionF16Nmse = 1e-11;
inline constexpr double kAttentionQ8Nmse = 1e-8;

/// The gated delta rule against f64 token by token: f32 rounding of a state that hundreds of tokens
/// have passed through.
inline constexpr double kDeltaRuleNmse = 1e-8;

/// Element-wise functions, norms, rope.
inline constexpr double kElementwiseNmse = 1e-12;

/// Worst row of `rows` rows.
inline double worst_nmse(const std::vector<float>& found, const std::vector<double>& expected,
                         std::size_t rows) {
  const std::size_t columns = found.size() / rows;
  double worst = 0.0;
  for (std::size_t r = 0; r < rows; ++r) {
    double error = 0.0;
    double power = 1e-300;
    for (std::size_t i = r * columns; i < (r + 1) * columns; ++i) {
      const double difference = static_cast<double>(found[i]) - expected[i];
      error += difference * difference;
      power += expected[i] * expected[i];
    }
    worst = std::fmax(worst, std::isnan(error) ? 1e300 : error / power);
  }
  return worst;
}

}  // namespace vernal::cpu_avx2

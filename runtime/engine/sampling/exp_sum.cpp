// The exponential sums of logits_math.hpp, apart because they are compiled with a flag of their
// own.
#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "engine/sampling/logits_math.hpp"

namespace vernal {
namespace {

// Enough independent sums for two registers of 64 bytes or four of 16.
constexpr std::size_t kLanes = 16;
// Length of the stretches whose sums are added in double precision.
constexpr std::size_t kBlock = 1024;

inline float approximate_exp(float x) noexcept {
  // exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln(2) / 2. ln 2 is taken in two parts,
  // of which the first has so few bits that n times it is exact.
  constexpr float kLeast = -87.0F;  // exp of it is still a normal number
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it leaves no fraction
  const float clamped = x < kLeast ? kLeast : x;
  const float n = (clamped * kLog2E + kRounder) - kRounder;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float series = 1.0F / 720.0F;  // Taylor: the first term left out is below 1.2e-7
  series = series * r + 1.0F / 120.0F;
  series = series * r + 1.0F / 24.0F;
  series = series * r + 1.0F / 6.0F;
  series = series * r + 0.5F;
  series = series * r + 1.0F;
  series = series * r + 1.0F;
  const auto exponent = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23U;
  const float result = series * std::bit_cast<float>(exponent);
  return x < kLeast ? 0.0F : result;
}

float block_sum_exp(std::span<const float> logits, float max, float scale) noexcept {
  std::array<float, kBlock> masses;
  const std::size_t size = logits.size();
  for (std::size_t i = 0; i < size; ++i) {
    masses[i] = approximate_exp((logits[i] - max) * scale);
  }
  std::fill(masses.begin() + static_cast<std::ptrdiff_t>(size), masses.end(), 0.0F);
  std::array<float, kLanes> sums{};
  for (std::size_t i = 0; i < kBlock; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += masses[i + lane];
    }
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

}  // namespace

float exp_nonpositive(float x) noexcept { return approximate_exp(x); }

double sum_exp(std::span<const float> logits, float max, float scale) noexcept {
  double total = 0.0;
  for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const std::size_t length = std::min(kBlock, logits.size() - begin);
    total += static_cast<double>(block_sum_exp(logits.subspan(begin, length), max, scale));
  }
  return total;
}

}  // namespace vernal

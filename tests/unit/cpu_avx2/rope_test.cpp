#include "kernels/elementwise/rope.hpp"

#include <gtest/gtest.h>

#include "random_data.hpp"
#include "tolerance.hpp"

namespace vernal::cpu_avx2 {
namespace {

constexpr std::int64_t kTokens = 5;
constexpr std::int64_t kHeads = 3;

struct Shape {
  std::int64_t head_dim;
  std::int64_t n_rot;
  bool is_interleaved;
};

/// Rotates by the formula, pair by pair, in double.
std::vector<double> rotate_in_double(const std::vector<float>& x, const Shape& shape,
                                     const RopeFrequencies& frequencies,
                                     const std::vector<std::int32_t>& positions) {
  std::vector<double> y(x.begin(), x.end());
  for (std::int64_t row = 0; row < kTokens * kHeads; ++row) {
    for (std::int64_t j = 0; j < shape.n_rot / 2; ++j) {
      const double angle = positions[static_cast<std::size_t>(row / kHeads)] *
                           frequencies.radians_per_position[static_cast<std::size_t>(j)];
      const std::int64_t first = shape.is_interleaved ? 2 * j : j;
      const std::int64_t second = shape.is_interleaved ? 2 * j + 1 : j + shape.n_rot / 2;
      const auto u = static_cast<std::size_t>(row * shape.head_dim + first);
      const auto v = static_cast<std::size_t>(row * shape.head_dim + second);
      const double magnitude = frequencies.magnitude;
      y[u] = magnitude * (x[u] * std::cos(angle) - x[v] * std::sin(angle));
      y[v] = magnitude * (x[u] * std::sin(angle) + x[v] * std::cos(angle));
    }
  }
  return y;
}

TEST(Rope, RotatesPairsOfBothStyles) {
  const std::vector<std::int32_t> positions{0, 1, 77, 4095, 131071};
  for (const Shape shape : {Shape{64, 64, false}, Shape{64, 64, true}, Shape{40, 12, false},
                            Shape{40, 12, true}, Shape{8, 2, false}, Shape{256, 64, false}}) {
    RopeOptions options;
    options.n_rot = shape.n_rot;
    options.scaling.magnitude = 1.25;
    const RopeFrequencies frequencies = rope_frequencies(options, {}, 1);
    std::vector<float> x =
        random_floats(static_cast<std::size_t>(kTokens * kHeads * shape.head_dim), 1);
    const std::vector<double> expected = rotate_in_double(x, shape, frequencies, positions);
    const auto pairs = static_cast<std::size_t>(shape.n_rot / 2);
    std::vector<float> cosines(kTokens * pairs);
    std::vector<float> sines(kTokens * pairs);
    const RopeTable table{cosines.data(), sines.data(), shape.n_rot / 2};
    fill_rope_table(frequencies, positions.data(), 1, table, 0, kTokens);
    std::vector<float> y(x.size());
    Rope rope{x.data(), y.data(), table, kHeads, shape.head_dim, shape.is_interleaved};
    rope_tokens(rope, 0, kTokens);
    EXPECT_LE(worst_nmse(y, expected, kTokens), kElementwiseNmse) << shape.head_dim;
    rope.y = x.data();
    rope_tokens(rope, 0, kTokens);
    EXPECT_EQ(x, y) << "in place";
  }
}

TEST(Rope, LeavesFrequenciesAloneWithoutScaling) {
  RopeOptions p;
  p.n_rot = 8;
  p.base = 1e6;
  const RopeFrequencies f = rope_frequencies(p, {}, 1);
  for (int j = 0; j < 4; ++j) {
    EXPECT_DOUBLE_EQ(f.radians_per_position[static_cast<std::size_t>(j)],
                     std::pow(1e6, -2.0 * j / 8.0));
  }
}

TEST(Rope, DividesByFactorsAndByTheLinearFactor) {
  RopeOptions p;
  p.n_rot = 4;
  p.scaling.kind = "linear";
  p.scaling.factor = 8.0;
  const RopeFrequencies f = rope_frequencies(p, {1.0F, 2.0F}, 1);
  EXPECT_DOUBLE_EQ(f.radians_per_position[0], 1.0 / 8.0);
  EXPECT_DOUBLE_EQ(f.radians_per_position[1], 0.01 / 2.0 / 8.0);
}

TEST(Rope, BandedScalingKeepsFastPairsAndSlowsSlowOnes) {
  RopeOptions p;  // the values of a well-known 128K model
  p.n_rot = 128;
  p.base = 500000.0;
  p.scaling.kind = "banded";
  p.scaling.factor = 8.0;
  p.scaling.original_context_length = 8192;
  const RopeFrequencies f = rope_frequencies(p, {}, 1);
  p.scaling.kind = "none";
  const RopeFrequencies plain = rope_frequencies(p, {}, 1);
  EXPECT_DOUBLE_EQ(f.radians_per_position[0], plain.radians_per_position[0]);
  EXPECT_DOUBLE_EQ(f.radians_per_position[63], plain.radians_per_position[63] / 8.0);
  for (std::size_t j = 0; j < 64; ++j) {
    EXPECT_LE(f.radians_per_position[j], plain.radians_per_position[j]);
    EXPECT_GE(f.radians_per_position[j], plain.radians_per_position[j] / 8.0 * (1.0 - 1e-12));
  }
}

TEST(Rope, YarnInterpolatesSlowPairsOnly) {
  RopeOptions p;
  p.n_rot = 64;
  p.scaling.kind = "yarn";
  p.scaling.factor = 4.0;
  p.scaling.original_context_length = 4096;
  const RopeFrequencies f = rope_frequencies(p, {}, 1);
  EXPECT_DOUBLE_EQ(f.radians_per_position[0], 1.0);
  EXPECT_DOUBLE_EQ(f.radians_per_position[31], std::pow(1e4, -62.0 / 64.0) / 4.0);
}

TEST(Rope, ChoosesThePositionAxisOfEachPair) {
  RopeOptions p;
  p.n_rot = 16;
  p.mrope = "interleaved";
  p.sections = {3, 3, 2, 0};
  EXPECT_EQ(rope_frequencies(p, {}, 3).axis, (std::vector<std::uint8_t>{0, 1, 2, 0, 1, 2, 0, 1}));
  p.mrope = "chunked";
  EXPECT_EQ(rope_frequencies(p, {}, 3).axis, (std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1, 2, 2}));
}

}  // namespace
}  // namespace vernal::cpu_avx2

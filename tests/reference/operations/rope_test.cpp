// Rotations by several positions, compared with the formula (sdk/spec/operations.md, section 3.1).
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference/operations/operations_fixture.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

/// A rotation whose pairs use different positions of a token.
class Rotation : public Operations {
 protected:
  /// `axes` says which position each of the four pairs uses.
  void expect_axes(const RopeOptions& options, std::int64_t num_axes,
                   const std::vector<std::size_t>& axes) {
    const Tensor positions = ops_.input("positions", {kTokens, num_axes}, Element::kI32);
    try {
      ops_.output(ops_.b().rope(ops_.input("x", {kTokens, 2, 10}), positions, options));
    } catch (const Error& error) {
      if (error.code() != VERNAL_UNSUPPORTED) throw;
      GTEST_SKIP() << error.what();
    }
    const std::vector<std::int32_t> all{3, 50, 700, 9000};
    const Floats x = random_floats(1, 20);
    ops_.feed("x", x);
    ops_.feed_integers("positions", {all.begin(), all.begin() + num_axes});
    Floats expected = x;
    for (std::size_t head = 0; head < 20; head += 10) {
      for (std::size_t j = 0; j < 4; ++j) {
        const double angle =
            all[axes[j]] * std::pow(options.base, -2.0 * static_cast<double>(j) / 8);
        const double u = x[head + j], v = x[head + j + 4];
        expected[head + j] = static_cast<float>(u * std::cos(angle) - v * std::sin(angle));
        expected[head + j + 4] = static_cast<float>(u * std::sin(angle) + v * std::cos(angle));
      }
    }
    EXPECT_LE(nmse(ops_.step({{ops_.sequence(), 1}}), expected), kBound);
  }
};

TEST_P(Rotation, TurnsChunksOfPairsWithEachAxis) {
  expect_axes({.n_rot = 8, .mrope = "chunked", .sections = {2, 1, 1, 0}}, 3, {0, 0, 1, 2});
}

TEST_P(Rotation, TurnsChunksOfPairsWithFourAxes) {
  expect_axes({.n_rot = 8, .mrope = "chunked", .sections = {1, 1, 1, 1}}, 4, {0, 1, 2, 3});
}

TEST_P(Rotation, TurnsPairsWithTheAxesInTurn) {
  expect_axes({.n_rot = 8, .mrope = "interleaved", .sections = {2, 1, 1, 0}}, 3, {0, 1, 2, 0});
}

TEST_P(Rotation, TurnsPairsBeyondTheirSectionWithTheLastAxis) {
  expect_axes({.n_rot = 8, .mrope = "interleaved", .sections = {1, 1, 1, 1}}, 4, {0, 1, 2, 3});
}

TEST_P(Rotation, TurnsThemWithTheFirstAxisIfThereIsNoLast) {
  expect_axes({.n_rot = 8, .mrope = "interleaved", .sections = {2, 2, 0, 0}}, 3, {0, 1, 0, 0});
}

INSTANTIATE_TEST_SUITE_P(Backends, Rotation, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test

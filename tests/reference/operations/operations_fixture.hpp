// What the tests of operations have in common.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/operations_under_test.hpp"

namespace vernal::test {

using Floats = std::vector<float>;

inline constexpr double kBound = 1e-10;  // of nmse, with f32 activations

inline Floats random_floats(std::uint32_t seed, std::int64_t count, double low = -1,
                            double high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> range(low, high);
  Floats out(static_cast<std::size_t>(count));
  for (float& x : out) x = static_cast<float>(range(random));
  return out;
}

inline double silu(double x) { return x / (1 + std::exp(-x)); }

/// The tokens [begin, end) of a flat [T, width] array.
inline Floats tokens_of(const Floats& x, std::int64_t width, std::int64_t begin, std::int64_t end) {
  return {x.begin() + begin * width, x.begin() + end * width};
}

inline Floats joined(const Floats& a, const Floats& b) {
  Floats out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

/// Tests of one backend.
class Operations : public testing::TestWithParam<std::string> {
 protected:
  OperationsUnderTest ops_{GetParam()};
};

}  // namespace vernal::test

#include "kernels/elementwise/elementwise.hpp"

#include <gtest/gtest.h>

#include "kernels/elementwise/rmsnorm.hpp"
#include "random_data.hpp"
#include "tolerance.hpp"

namespace vernal::cpu_avx2 {
namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

double activation_in_double(Activation kind, double x) {
  switch (kind) {
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluErf:
      return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
    case Activation::kRelu:
      return std::fmax(x, 0.0);
    case Activation::kRelu2:
      return std::fmax(x, 0.0) * std::fmax(x, 0.0);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kSoftplus:
      return std::log1p(std::exp(x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kExp:
      return std::exp(x);
  }
  return 0.0;
}

constexpr Activation kActivations[] = {
    Activation::kSilu,     Activation::kGeluTanh, Activation::kGeluErf,
    Activation::kRelu,     Activation::kRelu2,    Activation::kSigmoid,
    Activation::kSoftplus, Activation::kTanh,     Activation::kExp,
};

TEST(Elementwise, ActivatesAsTheFormulaSaysAtAnyMagnitude) {
  for (const Activation kind : kActivations) {
    for (const float magnitude : {1e-4F, 1e-2F, 1.0F, 10.0F}) {
      std::vector<float> x = random_floats(203, 1);
      for (float& v : x) v *= magnitude;
      std::vector<double> expected;
      for (const float v : x) expected.push_back(activation_in_double(kind, v));
      std::vector<float> y(x.size());
      activate(kind, x.data(), y.data(), 0, 203);
      EXPECT_LE(worst_nmse(y, expected, 1), kElementwiseNmse)
          << static_cast<int>(kind) << " at " << magnitude;
    }
  }
}

TEST(Elementwise, GivesALaneTheSameBitsWhereverItStands) {
  const std::vector<float> x = random_floats(100, 2);
  for (const Activation kind : kActivations) {
    std::vector<float> whole(100);
    std::vector<float> pieces(100);
    activate(kind, x.data(), whole.data(), 0, 100);
    for (std::int64_t i = 0; i < 100; i += 3) {
      activate(kind, x.data(), pieces.data(), i, std::min<std::int64_t>(i + 3, 100));
    }
    EXPECT_EQ(whole, pieces);
  }
}

TEST(Elementwise, KeepsTheEndsOfTheExponential) {
  const std::vector<float> x{-1e30F, -200.0F, -88.0F, 0.0F, 88.7F, 89.0F, 1e30F, std::nanf("")};
  std::vector<float> y(x.size());
  activate(Activation::kExp, x.data(), y.data(), 0, 8);
  EXPECT_EQ(y[0], 0.0F);
  EXPECT_EQ(y[1], 0.0F);
  EXPECT_LT(y[2], 1e-37F);
  EXPECT_EQ(y[3], 1.0F);
  EXPECT_TRUE(std::isfinite(y[4]));
  EXPECT_TRUE(std::isinf(y[5]));
  EXPECT_TRUE(std::isinf(y[6]));
  EXPECT_TRUE(std::isnan(y[7]));
}

TEST(Elementwise, GatesRowsWithAnyStride) {
  const std::vector<float> gate = random_floats(60, 3);
  const std::vector<float> up = random_floats(60, 4);
  const auto expected_of = [](Glu kind, double g, double u) {
    switch (kind) {
      case Glu::kSwiglu:
        return activation_in_double(Activation::kSilu, g) * u;
      case Glu::kGegluTanh:
        return activation_in_double(Activation::kGeluTanh, g) * u;
      case Glu::kGegluErf:
        return activation_in_double(Activation::kGeluErf, g) * u;
      case Glu::kReglu:
        return std::fmax(g, 0.0) * u;
      case Glu::kSwigluOai: {
        const double low = std::fmin(g, 1.5);
        return low * sigmoid(1.7 * low) * (std::fmin(std::fmax(u, -1.5), 1.5) + 1.0);
      }
    }
    return 0.0;
  };
  for (const Glu kind :
       {Glu::kSwiglu, Glu::kGegluTanh, Glu::kGegluErf, Glu::kReglu, Glu::kSwigluOai}) {
    std::vector<float> y(2 * 13, 0.0F);
    std::vector<double> expected;
    for (std::size_t r = 0; r < 2; ++r) {
      for (std::size_t i = 0; i < 13; ++i) {
        expected.push_back(expected_of(kind, gate[20 * r + i], up[30 * r + i]));
      }
    }
    GluRows glu{kind, gate.data(), up.data(), y.data(), 20, 30, 13, 13, 1.7F, 1.5F};
    glu_rows(glu, 0, 2);
    EXPECT_LE(worst_nmse(y, expected, 2), kElementwiseNmse) << static_cast<int>(kind);
  }
}

TEST(Elementwise, BroadcastsInEveryDimension) {
  // [2, 3, 11] with [3, 1] and with [11].
  const std::vector<float> a = random_floats(66, 5);
  const std::vector<float> b = random_floats(11, 6);
  std::vector<float> y(66);
  BinaryRows rows;
  rows.kind = Binary::kAdd;
  rows.a = a.data();
  rows.b = b.data();
  rows.y = y.data();
  rows.dims = {1, 2, 3, 11};
  rows.a_strides = {66, 33, 11, 1};
  rows.b_strides = {0, 0, 0, 1};
  binary_rows(rows, 0, 6);
  for (std::size_t i = 0; i < 66; ++i) EXPECT_EQ(y[i], a[i] + b[i % 11]);
  rows.kind = Binary::kMultiply;
  rows.b_strides = {0, 0, 1, 0};
  binary_rows(rows, 0, 6);
  for (std::size_t i = 0; i < 66; ++i) EXPECT_EQ(y[i], a[i] * b[i / 11 % 3]);
}

TEST(Elementwise, ScalesAndCaps) {
  const std::vector<float> x = random_floats(35, 7);
  std::vector<float> y(35);
  scale(x.data(), 0.3F, y.data(), 0, 35);
  for (std::size_t i = 0; i < 35; ++i) EXPECT_EQ(y[i], x[i] * 0.3F);
  softcap(x.data(), 2.0F, y.data(), 0, 35);
  std::vector<double> expected;
  for (const float v : x) expected.push_back(2.0 * std::tanh(static_cast<double>(v) / 2.0));
  EXPECT_LE(worst_nmse(y, expected, 1), kElementwiseNmse);
}

TEST(RmsNorm, NormalisesRowsOfAnyLength) {
  for (const std::int64_t columns : {1, 7, 8, 31, 64, 100, 1536}) {
    const auto size = static_cast<std::size_t>(columns);
    const std::vector<float> x = random_floats(3 * size, 8);
    const std::vector<float> weight = random_floats(size, 9);
    std::vector<float> y(3 * size);
    std::vector<double> expected;
    for (std::size_t r = 0; r < 3; ++r) {
      double squares = 0.0;
      for (std::size_t i = 0; i < size; ++i)
        squares += std::pow(static_cast<double>(x[r * size + i]), 2);
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(columns) + 1e-5);
      for (std::size_t i = 0; i < size; ++i)
        expected.push_back(x[r * size + i] * factor * weight[i]);
    }
    rmsnorm_rows({x.data(), weight.data(), y.data(), columns, 1e-5F}, 0, 3);
    EXPECT_LE(worst_nmse(y, expected, 3), kElementwiseNmse) << columns;
  }
}

TEST(RmsNorm, WorksInPlaceAndWithoutWeights) {
  std::vector<float> x{3.0F, 4.0F};
  rmsnorm_rows({x.data(), nullptr, x.data(), 2, 0.0F}, 0, 1);
  EXPECT_FLOAT_EQ(x[0], 3.0F / std::sqrt(12.5F));
  EXPECT_FLOAT_EQ(x[1], 4.0F / std::sqrt(12.5F));
}

}  // namespace
}  // namespace vernal::cpu_avx2

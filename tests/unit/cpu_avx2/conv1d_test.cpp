#include "kernels/recurrent/conv1d.hpp"

#include <gtest/gtest.h>

#include "random_data.hpp"
#include "tolerance.hpp"

namespace vernal::cpu_avx2 {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Shapes {
  std::int64_t channels;
  std::int64_t width;
  bool has_bias;
  bool is_silu;
};

const Shapes kShapes[] = {
    {200, 4, false, true}, {64, 4, true, false}, {3, 2, true, true},
    {77, 1, false, false}, {65, 11, true, true},
};

class Text {
 public:
  Text(const Shapes& shapes, std::int64_t length, std::int64_t rollback)
      : shapes_(shapes),
        x_(random_floats(size(length * shapes.channels), 1)),
        weight_(random_floats(size(shapes.channels * shapes.width), 2)),
        bias_(random_floats(size(shapes.channels), 3)),
        num_columns_(shapes.width - 1 + rollback),
        columns_(size(num_columns_ * shapes.channels), std::nanf("")) {}

  /// Tokens [first, last) as one step, the second sequence in it.
  std::vector<float> run(std::int64_t first, std::int64_t last) {
    constexpr std::int64_t kStart = 2;
    const auto before = size(kStart * shapes_.channels);
    std::vector<float> x(before, std::nanf(""));
    x.insert(x.end(), x_.begin() + first * shapes_.channels, x_.begin() + last * shapes_.channels);
    std::vector<float> y(x.size(), -7.0F);
    Conv1d conv;
    conv.x = x.data();
    conv.weight = weight_.data();
    conv.bias = shapes_.has_bias ? bias_.data() : nullptr;
    conv.y = y.data();
    conv.num_channels = shapes_.channels;
    conv.width = shapes_.width;
    conv.num_columns = num_columns_;
    conv.is_silu = shapes_.is_silu;
    const ConvSequence sequence{columns_.data(), kStart, last - first, first};
    for (std::int64_t c = 0; c < shapes_.channels; c += kConvChannels) {
      conv1d_channels(conv, sequence, c, std::min(c + kConvChannels, shapes_.channels));
    }
    EXPECT_TRUE(std::all_of(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(before),
                            [](float v) { return v == -7.0F; }));
    return {y.begin() + static_cast<std::ptrdiff_t>(before), y.end()};
  }

  std::vector<double> expected(std::int64_t length) const {
    std::vector<double> out;
    for (std::int64_t t = 0; t < length; ++t) {
      for (std::int64_t c = 0; c < shapes_.channels; ++c) {
        double sum = shapes_.has_bias ? bias_[size(c)] : 0.0;
        for (std::int64_t i = 0; i < shapes_.width; ++i) {
          const std::int64_t from = t + i + 1 - shapes_.width;
          if (from < 0) continue;
          sum += static_cast<double>(weight_[size(c * shapes_.width + i)]) *
                 x_[size(from * shapes_.channels + c)];
        }
        out.push_back(shapes_.is_silu ? sum / (1.0 + std::exp(-sum)) : sum);
      }
    }
    return out;
  }

 private:
  Shapes shapes_;
  std::vector<float> x_, weight_, bias_;
  std::int64_t num_columns_;
  std::vector<float> columns_;
};

TEST(Conv1d, AgreesWithDoubleArithmeticAndKeepsItsBitsHoweverATextIsCut) {
  constexpr std::int64_t kLength = 70;
  for (const Shapes& shapes : kShapes) {
    for (const std::int64_t rollback : {0, 3}) {
      const std::vector<float> whole = Text(shapes, kLength, rollback).run(0, kLength);
      const std::vector<double> expected = Text(shapes, kLength, rollback).expected(kLength);
      EXPECT_LE(worst_nmse(whole, expected, 1), kElementwiseNmse) << shapes.channels;
      for (const std::int64_t chunk : {1, 2, 3, 5, 64}) {
        Text text(shapes, kLength, rollback);
        std::vector<float> y;
        for (std::int64_t first = 0; first < kLength; first += chunk) {
          const std::vector<float> part = text.run(first, std::min(first + chunk, kLength));
          y.insert(y.end(), part.begin(), part.end());
        }
        EXPECT_EQ(y, whole) << shapes.channels << " channels, chunks of " << chunk;
      }
    }
  }
}

TEST(Conv1d, GoesOnFromAnEarlierTokenWithinTheRollback) {
  for (const Shapes& shapes : kShapes) {
    constexpr std::int64_t kRollback = 5;
    const std::vector<float> whole = Text(shapes, 40, kRollback).run(0, 40);
    for (std::int64_t back = 0; back <= kRollback; ++back) {
      Text text(shapes, 40, kRollback);
      text.run(0, 20);
      text.run(20, 28);
      const std::vector<float> again = text.run(28 - back, 40);
      EXPECT_TRUE(
          std::equal(again.begin(), again.end(), whole.begin() + (28 - back) * shapes.channels))
          << shapes.channels << " channels, " << back << " back";
    }
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2

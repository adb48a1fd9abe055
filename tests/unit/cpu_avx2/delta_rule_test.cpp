#include "kernels/recurrent/delta_rule.hpp"

#include <gtest/gtest.h>

#include "random_data.hpp"
#include "tolerance.hpp"

namespace vernal::cpu_avx2 {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

struct Shapes {
  std::int64_t key_heads;
  std::int64_t value_heads;
  std::int64_t key_dim;
  std::int64_t value_dim;
  bool is_grouped;
  bool has_key_gates;
  bool is_normalized;
  float gate;  // magnitude: how fast a state fades
};

const Shapes kShapes[] = {
    {2, 4, 128, 128, false, false, true, 0.1F},  // tiled
    {2, 4, 128, 128, true, false, true, 0.1F},   // grouped
    {1, 3, 64, 48, false, false, false, 30.0F},  // fades at once
    {2, 2, 8, 8, false, false, true, 1e-4F},     // hardly fades
    {1, 2, 40, 24, true, false, true, 1.0F},
    {2, 4, 64, 64, false, true, true, 0.3F},  // a gate for each row of the state
    {1, 1, 24, 72, false, true, false, 20.0F},
};

/// A text's inputs, and its states.
class Text {
 public:
  Text(const Shapes& shapes, std::int64_t length, std::uint32_t seed, std::int64_t versions = 1)
      : shapes_(shapes) {
    const std::int64_t keys = length * shapes.key_heads * shapes.key_dim;
    const std::int64_t gates = shapes.value_heads * (shapes.has_key_gates ? shapes.key_dim : 1);
    q_ = random_floats(size(keys), seed);
    k_ = random_floats(size(keys), seed + 1);
    v_ = random_floats(size(length * shapes.value_heads * shapes.value_dim), seed + 2);
    g_ = random_floats(size(length * gates), seed + 3);
    beta_ = random_floats(size(length * shapes.value_heads), seed + 4);
    for (float& g : g_) g = -shapes.gate * std::fabs(g);
    for (float& b : beta_) b = 1.0F / (1.0F + std::exp(-b));
    // Without normalisation the rule is stable only for short keys.
    if (!shapes.is_normalized) {
      for (float& k : k_) k /= std::sqrt(static_cast<float>(shapes.key_dim));
    }
    rule_.num_key_heads = shapes.key_heads;
    rule_.num_value_heads = shapes.value_heads;
    rule_.key_dim = shapes.key_dim;
    rule_.value_dim = shapes.value_dim;
    rule_.num_versions = versions;
    rule_.scale = 1.0F / std::sqrt(static_cast<float>(shapes.key_dim));
    rule_.epsilon = 1e-6F;
    rule_.is_normalized = shapes.is_normalized;
    rule_.is_grouped = shapes.is_grouped;
    rule_.has_key_gates = shapes.has_key_gates;
    states_.assign(size(versions * rule_.state_floats()), std::nanf(""));
  }

  /// Runs tokens [first, last) as one step and returns their results.
  std::vector<float> run(std::int64_t first, std::int64_t last) {
    const std::int64_t row = shapes_.value_heads * shapes_.value_dim;
    std::vector<float> y(size((last - first) * row), -7.0F);
    DeltaRule rule = rule_;
    const std::int64_t keys = shapes_.key_heads * shapes_.key_dim;
    rule.q = q_.data() + first * keys;
    rule.k = k_.data() + first * keys;
    rule.v = v_.data() + first * row;
    rule.g =
        g_.data() + first * shapes_.value_heads * (shapes_.has_key_gates ? shapes_.key_dim : 1);
    rule.beta = beta_.data() + first * shapes_.value_heads;
    rule.y = y.data();
    std::vector<float> scratch(size(delta_rule_scratch_floats(rule)), std::nanf(""));
    const DeltaSequence sequence{states_.data(), 0, last - first, first};
    for (std::int64_t h = 0; h < shapes_.value_heads; ++h) {
      run_delta_rule(rule, sequence, h, scratch.data());
    }
    return y;
  }

  /// All tokens below `length` in double, token by token.
  std::vector<double> expected(std::int64_t length) const {
    std::vector<double> out(size(length * shapes_.value_heads * shapes_.value_dim));
    for (std::int64_t h = 0; h < shapes_.value_heads; ++h) expect_head(length, h, out);
    return out;
  }

  const std::vector<float>& states() const { return states_; }
  std::vector<float>& states() { return states_; }
  const DeltaRule& rule() const { return rule_; }

 private:
  std::vector<double> key_row(const std::vector<float>& x, std::int64_t t, std::int64_t h) const {
    const std::int64_t group = shapes_.value_heads / shapes_.key_heads;
    const std::int64_t head = shapes_.is_grouped ? h / group : h % shapes_.key_heads;
    const float* row = x.data() + (t * shapes_.key_heads + head) * shapes_.key_dim;
    std::vector<double> out(row, row + shapes_.key_dim);
    if (!shapes_.is_normalized) return out;
    double sum = 1e-6;
    for (const double value : out) sum += value * value;
    for (double& value : out) value /= std::sqrt(sum);
    return out;
  }

  void expect_head(std::int64_t length, std::int64_t h, std::vector<double>& out) const {
    const std::size_t rows = size(shapes_.key_dim);
    const std::size_t columns = size(shapes_.value_dim);
    std::vector<double> s(rows * columns, 0.0);
    for (std::int64_t t = 0; t < length; ++t) {
      const std::vector<double> q = key_row(q_, t, h);
      const std::vector<double> k = key_row(k_, t, h);
      const std::size_t at = size(t * shapes_.value_heads + h);
      for (std::size_t i = 0; i < rows; ++i) {
        const double g = shapes_.has_key_gates ? g_[at * rows + i] : g_[at];
        for (std::size_t j = 0; j < columns; ++j) s[i * columns + j] *= std::exp(g);
      }
      for (std::size_t j = 0; j < columns; ++j) {
        double a = 0.0;
        for (std::size_t i = 0; i < rows; ++i) a += s[i * columns + j] * k[i];
        const double u = static_cast<double>(beta_[at]) * (v_[at * columns + j] - a);
        double y = 0.0;
        for (std::size_t i = 0; i < rows; ++i) {
          s[i * columns + j] += k[i] * u;
          y += s[i * columns + j] * q[i];
        }
        out[at * columns + j] = y / std::sqrt(static_cast<double>(shapes_.key_dim));
      }
    }
  }

  Shapes shapes_;
  DeltaRule rule_;
  std::vector<float> q_, k_, v_, g_, beta_, states_;
};

TEST(DeltaRule, AgreesWithDoubleArithmeticAtEveryLength) {
  for (const Shapes& shapes : kShapes) {
    for (const std::int64_t length : {1, 2, 7, 8, 9, 11, 63, 64, 65, 72, 73, 130, 300}) {
      Text text(shapes, length, 11);
      const std::vector<float> y = text.run(0, length);
      EXPECT_LE(worst_nmse(y, text.expected(length), size(length)), kDeltaRuleNmse)
          << shapes.key_dim << " x " << shapes.value_dim << ", " << length << " tokens";
    }
  }
}

TEST(DeltaRule, GivesTheSameBitsAndStatesHoweverATextIsCut) {
  constexpr std::int64_t kLength = 200;
  for (const Shapes& shapes : kShapes) {
    Text whole(shapes, kLength, 12);
    const std::vector<float> expected = whole.run(0, kLength);
    for (const std::int64_t chunk : {1, 3, 8, 63, 64, 65, 129}) {
      Text text(shapes, kLength, 12);
      std::vector<float> y;
      for (std::int64_t first = 0; first < kLength; first += chunk) {
        const std::vector<float> part = text.run(first, std::min(first + chunk, kLength));
        y.insert(y.end(), part.begin(), part.end());
      }
      ASSERT_EQ(y, expected) << shapes.key_dim << " x " << shapes.value_dim << ", chunks of "
                             << chunk;
      ASSERT_EQ(text.states(), whole.states())
          << shapes.key_dim << " x " << shapes.value_dim << ", chunks of " << chunk;
    }
  }
}

TEST(DeltaRule, KeepsTheStatesOfTheNewestTokensAsIfItHadStoppedThere) {
  constexpr std::int64_t kVersions = 4;
  constexpr std::int64_t kBefore = 5;
  for (const Shapes& shapes : kShapes) {
    for (const std::int64_t count : {1, 2, 3, 4, 6, 9, 12, 80}) {
      Text text(shapes, kBefore + count, 14, kVersions);
      text.run(0, kBefore);
      text.run(kBefore, kBefore + count);
      const auto floats = static_cast<std::ptrdiff_t>(text.rule().state_floats());
      for (std::int64_t back = 0; back < std::min(kVersions, count + 1); ++back) {
        const std::int64_t length = kBefore + count - back;
        Text stopped(shapes, kBefore + count, 14);
        stopped.run(0, kBefore);
        if (length > kBefore) stopped.run(kBefore, length);
        const auto version = text.states().begin() + length % kVersions * floats;
        ASSERT_TRUE(std::equal(version, version + floats, stopped.states().begin()))
            << shapes.key_dim << " x " << shapes.value_dim << ", " << count << " tokens, " << back
            << " back";
      }
    }
  }
}

TEST(DeltaRule, StartsFromZeroWhateverTheMemoryHeld) {
  const Shapes& shapes = kShapes[0];
  Text clean(shapes, 3, 15, 2);
  const std::vector<float> expected = clean.run(0, 3);
  Text dirty(shapes, 3, 15, 2);
  std::fill(dirty.states().begin(), dirty.states().end(), 1e30F);
  EXPECT_EQ(dirty.run(0, 3), expected);
}

}  // namespace
}  // namespace vernal::cpu_avx2

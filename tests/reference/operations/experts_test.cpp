// Routes and experts, compared with their formulas (sdk/spec/operations.md, section 5).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "reference/operations/operations_fixture.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

constexpr std::int64_t kE = 8;

/// The weights that a route gives to the experts. The result of expert e is 1 in column e and 0 in
/// the others, so the sum shows them.
class Routing : public Operations {
 protected:
  void build(const RouteOptions& options, const Floats& bias = {}) {
    const WeightRef b = bias.empty() ? WeightRef{} : ops_.weight("bias", {kE}, bias);
    const Route route = ops_.b().moe_route(ops_.input("r", {kTokens, kE}), b, options);
    Floats columns(kE * kE);
    for (std::size_t e = 0; e < kE; ++e) columns[e * kE + e] = 1;
    const Floats zeros(kE * kE), ones(kE, 1.0F);
    ExpertWeights experts{.gate = ops_.weight("gate", {kE, 1, kE}, zeros),
                          .up = ops_.weight("up", {kE, 1, kE}, zeros),
                          .down = ops_.weight("down", {kE, kE, 1}, columns)};
    experts.gate_bias = ops_.weight("gate_bias", {kE, 1}, ones);
    experts.up_bias = ops_.weight("up_bias", {kE, 1}, ones);
    ops_.output(
        ops_.b().moe_glu(ops_.input("x", {kTokens, kE}), route, experts, {.kind = "reglu"}));
  }
  Floats weights(const Floats& r) {
    ops_.feed("r", r);
    ops_.feed("x", r);
    return ops_.step({{ops_.sequence(), r.size() / kE}});
  }
  static void expect_near(const Floats& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
  }
};

// Two tokens. The second has equal scores, of which the lower index wins.
const Floats kScores{0, 1, 2, 3, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1};

double softmax(std::initializer_list<double> all, double x) {
  double sum = 0;
  for (const double y : all) sum += std::exp(y);
  return std::exp(x) / sum;
}

TEST_P(Routing, TakesTheSoftmaxOverAllBeforeTheChoice) {
  build({.k = 2});
  const double three = softmax({0, 1, 2, 3, 0, 0, 0, 0}, 3);
  const double two = softmax({0, 1, 2, 3, 0, 0, 0, 0}, 2);
  const double one = softmax({1, 1, 0, 1, 0, 0, 0, 1}, 1);
  expect_near(weights(kScores), {0, 0, two, three, 0, 0, 0, 0, one, one, 0, 0, 0, 0, 0, 0});
}

TEST_P(Routing, TakesTheSoftmaxOfTheChosenAfterTheChoice) {
  build({.k = 2, .when = "after", .scale = 2});
  expect_near(weights(kScores), {0, 0, 2 * softmax({2, 3}, 2), 2 * softmax({2, 3}, 3), 0, 0, 0, 0,
                                 1, 1, 0, 0, 0, 0, 0, 0});
}

TEST_P(Routing, MakesTheWeightsAddUpToOne) {
  build({.k = 2, .renorm = true});
  expect_near(weights(kScores), {0, 0, softmax({2, 3}, 2), softmax({2, 3}, 3), 0, 0, 0, 0, 0.5, 0.5,
                                 0, 0, 0, 0, 0, 0});
}

TEST_P(Routing, LetsABiasMoveTheChoiceButNotTheWeight) {
  build({.k = 1, .score = "sigmoid"}, {0, 0, 0, 0, 0, 0, 0, 5});
  expect_near(weights(kScores),
              {0, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 1 / (1 + std::exp(-1.0))});
}

TEST_P(Routing, ChoosesWithinTheBestGroups) {
  // Groups of two experts. Their sums are 1, 5, 0, 0 for the first token and 2, 1, 0, 1 for the
  // second. The second and the fourth are equal there, so the second stays.
  build({.k = 3, .score = "sigmoid", .when = "after", .n_group = 4, .topk_group = 2});
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  expect_near(weights(kScores), {0, sigmoid(1), sigmoid(2), sigmoid(3), 0, 0, 0, 0, sigmoid(1),
                                 sigmoid(1), 0, sigmoid(1), 0, 0, 0, 0});
}

class Experts : public Operations {
 protected:
  static constexpr std::size_t kD = 32, kF = 64, kCount = 4;

  const Floats wg = random_floats(1, kCount* kF* kD), wu = random_floats(2, kCount* kF* kD);
  const Floats wd = random_floats(3, kCount* kF* kD), bg = random_floats(4, kCount* kF);
  const Floats bu = random_floats(5, kCount* kF), bd = random_floats(6, kCount* kD);

  void build(const std::string& kind, const std::string& weight_on) {
    const auto weight = [&](const char* name, const Dims& dims, const Floats& values) {
      return ops_.weight(name, dims, values);
    };
    const Route route = ops_.b().moe_route(ops_.input("r", {kTokens, kCount}), {}, {.k = 2});
    ExpertWeights experts;
    experts.gate = weight("gate", {kCount, kF, kD}, wg);
    experts.up = weight("up", {kCount, kF, kD}, wu);
    experts.down = weight("down", {kCount, kD, kF}, wd);
    experts.gate_bias = weight("gate_bias", {kCount, kF}, bg);
    experts.up_bias = weight("up_bias", {kCount, kF}, bu);
    experts.down_bias = weight("down_bias", {kCount, kD}, bd);
    ops_.output(ops_.b().moe_glu(ops_.input("x", {kTokens, kD}), route, experts, {.kind = kind},
                                 weight_on));
  }

  void expect_exact(const std::string& kind, const std::string& weight_on, double (*f)(double)) {
    build(kind, weight_on);
    const Floats x = random_floats(7, kD);
    ops_.feed("x", x);
    ops_.feed("r", {1, 0, 3, 0});
    const Floats found = ops_.step({{ops_.sequence(), 1}});

    Floats expected(kD);
    for (const auto& [e, score] : {std::pair<std::size_t, double>{2, 3}, {0, 1}}) {
      const double omega = softmax({1, 0, 3, 0}, score);
      const double before = weight_on == "in" ? omega : 1, after = weight_on == "in" ? 1 : omega;
      std::vector<double> hidden(kF);
      for (std::size_t i = 0; i < kF; ++i) {
        double gate = bg[e * kF + i], up = bu[e * kF + i];
        for (std::size_t d = 0; d < kD; ++d) {
          gate += before * x[d] * wg[(e * kF + i) * kD + d];
          up += before * x[d] * wu[(e * kF + i) * kD + d];
        }
        hidden[i] = f(gate) * up;
      }
      for (std::size_t d = 0; d < kD; ++d) {
        double sum = bd[e * kD + d];
        for (std::size_t i = 0; i < kF; ++i) sum += hidden[i] * wd[(e * kD + d) * kF + i];
        expected[d] += static_cast<float>(after * sum);
      }
    }
    EXPECT_LE(nmse(found, expected), kBound);
  }
};

TEST_P(Experts, AddUpByTheirWeights) { expect_exact("swiglu", "out", silu); }

TEST_P(Experts, SeeWeightedInputs) {
  expect_exact("reglu", "in", [](double x) { return std::max(x, 0.0); });
}

// So many that an expert has several tiles of rows.
TEST_P(Experts, AnswerForManyTokensAsForEachAlone) {
  build("swiglu", "out");
  constexpr std::size_t kMany = 23;
  const Floats x = random_floats(7, kMany * kD);
  Floats scores;
  for (std::size_t t = 0; t < kMany; ++t) {
    const Floats row = t % 7 == 3 ? Floats{0, 3, 0, 1} : Floats{1, 0, 3, 0};
    scores.insert(scores.end(), row.begin(), row.end());
  }
  ops_.feed("x", x);
  ops_.feed("r", scores);
  const Floats together = ops_.step({{ops_.sequence(), kMany}});
  const auto sequence = ops_.sequence();
  for (std::size_t t = 0; t < kMany; ++t) {
    const auto row = [t](const Floats& of, std::size_t size) {
      const auto begin = of.begin() + static_cast<std::ptrdiff_t>(t * size);
      return Floats(begin, begin + static_cast<std::ptrdiff_t>(size));
    };
    ops_.feed("x", row(x, kD));
    ops_.feed("r", row(scores, kCount));
    EXPECT_LE(nmse(row(together, kD), ops_.step({{sequence, 1}})), kBound) << "token " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Routing, testing::ValuesIn(backends_under_test()));
INSTANTIATE_TEST_SUITE_P(Backends, Experts, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test

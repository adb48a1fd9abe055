// Rotations by several positions, and the operations of levels 1 and 2. Results of backends are
// compared with the formulas in another form (sdk/spec/operations.md, sections 3.1, 4 and 5).
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "support/operations_under_test.hpp"
#include "vernal/block_types.hpp"
#include "vernal/block_types/quantize.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

using Floats = std::vector<float>;

constexpr double kBound = 1e-10;      // f32 activations
constexpr double kDeltaBound = 1e-8;  // gated_delta_rule
constexpr std::int64_t kT = 70;       // more than a chunk

Floats random_floats(std::uint32_t seed, std::int64_t count, double low = -1, double high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> range(low, high);
  Floats out(static_cast<std::size_t>(count));
  for (float& x : out) x = static_cast<float>(range(random));
  return out;
}

double silu(double x) { return x / (1 + std::exp(-x)); }

/// The tokens [begin, end) of a flat [T, width] array.
Floats tokens_of(const Floats& x, std::int64_t width, std::int64_t begin, std::int64_t end) {
  return {x.begin() + begin * width, x.begin() + end * width};
}

Floats joined(const Floats& a, const Floats& b) {
  Floats out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

class Operations : public testing::TestWithParam<std::string> {
 protected:
  OperationsUnderTest ops_{GetParam()};
};

TEST_P(Operations, L2NormDividesByTheRootOfTheSumOfSquares) {
  ops_.output(ops_.b().l2norm(ops_.input("x", {kTokens, 3, 8}), 0.25));
  const Floats x = random_floats(1, 5 * 24);
  ops_.feed("x", x);
  const Floats found = ops_.step({{ops_.sequence(), 5}});
  Floats expected(x.size());
  for (std::size_t row = 0; row < x.size(); row += 8) {
    const double sum = std::inner_product(&x[row], &x[row] + 8, &x[row], 0.25);
    for (std::size_t i = row; i < row + 8; ++i)
      expected[i] = static_cast<float>(x[i] / std::sqrt(sum));
  }
  EXPECT_LE(nmse(found, expected), kBound);
}

TEST_P(Operations, ConvolutionSeesTheColumnsOfItsOwnSequence) {
  constexpr std::int64_t kC = 16, kW = 4;
  const Floats w = random_floats(1, kC * kW), bias = random_floats(2, kC);
  ops_.output(ops_.b().conv1d_state(
      ops_.input("x", {kTokens, kC}), ops_.weight("conv.weight", {kC, kW}, w),
      ops_.weight("conv.bias", {kC}, bias), ops_.b().state(ConvState{"conv", 0, kC, kW}), "silu"));
  const auto expected = [&](const Floats& x) {
    Floats y(x.size());
    for (std::size_t at = 0; at < x.size(); ++at) {
      const std::size_t c = at % kC, t = at / kC;
      double sum = static_cast<double>(bias[c]);
      for (std::size_t i = 0; i < kW && i <= t; ++i) {
        sum += static_cast<double>(w[c * kW + kW - 1 - i]) * static_cast<double>(x[at - i * kC]);
      }
      y[at] = static_cast<float>(silu(sum));
    }
    return y;
  };
  const Floats a = random_floats(3, 9 * kC), b = random_floats(4, 7 * kC);
  const auto first = ops_.sequence(), second = ops_.sequence();
  ops_.feed("x", joined(tokens_of(a, kC, 0, 2), tokens_of(b, kC, 0, 6)));
  const Floats one = ops_.step({{first, 2}, {second, 6}});
  ops_.feed("x", joined(tokens_of(b, kC, 6, 7), tokens_of(a, kC, 2, 9)));
  const Floats two = ops_.step({{second, 1}, {first, 7}});
  EXPECT_LE(nmse(joined(tokens_of(one, kC, 0, 2), tokens_of(two, kC, 1, 8)), expected(a)), kBound);
  EXPECT_LE(nmse(joined(tokens_of(one, kC, 2, 8), tokens_of(two, kC, 0, 1)), expected(b)), kBound);
}

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

/// The inputs of one gated_delta_rule over kT tokens.
struct Delta {
  std::int64_t key_heads = 2, value_heads = 4, key_size = 16, value_size = 8;
  bool decays_by_row = false;
  DeltaRuleOptions options{.scale = 0.25};
  Floats q, k, v, g, beta;

  std::int64_t width_of_g() const { return decays_by_row ? value_heads * key_size : value_heads; }
  void fill() {
    q = random_floats(1, kT * key_heads * key_size);
    k = random_floats(2, kT * key_heads * key_size, -0.4, 0.4);
    v = random_floats(3, kT * value_heads * value_size);
    g = random_floats(4, kT * width_of_g(), -0.3, 0);
    beta = random_floats(5, kT * value_heads, 0, 1);
  }
  std::int64_t key_head(std::int64_t h) const {
    return options.head_map == "tiled" ? h % key_heads : h * key_heads / value_heads;
  }
  double decay(std::int64_t t, std::int64_t h, std::int64_t row) const {
    const std::int64_t at = decays_by_row ? h * key_size + row : h;
    return static_cast<double>(g[static_cast<std::size_t>(t * width_of_g() + at)]);
  }
  /// Row t of a head of q or k.
  std::vector<double> key_row(const Floats& x, std::int64_t t, std::int64_t head) const {
    const auto begin = x.begin() + (t * key_heads + head) * key_size;
    std::vector<double> row(begin, begin + key_size);
    if (options.qk_l2norm) {
      const double sum = std::inner_product(row.begin(), row.end(), row.begin(), options.eps);
      for (double& r : row) r /= std::sqrt(sum);
    }
    return row;
  }
  Floats expected() const;
};

/// The rule without a state:
///   y_t = sum over j <= t of (q_t . D_tj k_j) u_j
///   u_t = beta_t (v_t - sum over j < t of (k_t . D_tj k_j) u_j)
/// D_tj is the decay of each row from token j to token t.
Floats Delta::expected() const {
  Floats out(static_cast<std::size_t>(kT * value_heads * value_size));
  for (std::int64_t h = 0; h < value_heads; ++h) {
    std::vector<std::vector<double>> updates;
    for (std::int64_t t = 0; t < kT; ++t) {
      const auto query = key_row(q, t, key_head(h)), key = key_row(k, t, key_head(h));
      std::vector<double> recalled(static_cast<std::size_t>(value_size)), answer = recalled;
      const auto add = [&](std::int64_t j, const std::vector<double>& by, std::vector<double>& to) {
        const auto other = key_row(k, j, key_head(h));
        double weight = 0;
        for (std::int64_t i = 0; i < key_size; ++i) {
          double sum = 0;
          for (std::int64_t s = j + 1; s <= t; ++s) sum += decay(s, h, i);
          const auto at = static_cast<std::size_t>(i);
          weight += by[at] * other[at] * std::exp(sum);
        }
        const auto& update = updates[static_cast<std::size_t>(j)];
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += weight * update[i];
      };
      for (std::int64_t j = 0; j < t; ++j) add(j, key, recalled);
      updates.push_back(recalled);
      for (std::size_t i = 0; i < recalled.size(); ++i) {
        const std::int64_t row = t * value_heads + h;
        const auto at = static_cast<std::size_t>(row * value_size) + i;
        updates.back()[i] = static_cast<double>(beta[static_cast<std::size_t>(row)]) *
                            (static_cast<double>(v[at]) - recalled[i]);
      }
      for (std::int64_t j = 0; j <= t; ++j) add(j, query, answer);
      for (std::size_t i = 0; i < answer.size(); ++i) {
        const auto at = static_cast<std::size_t>((t * value_heads + h) * value_size) + i;
        out[at] = static_cast<float>(options.scale * answer[i]);
      }
    }
  }
  return out;
}

class DeltaRule : public Operations {
 protected:
  void build(const Delta& d) {
    const Tensor q = ops_.input("q", {kTokens, d.key_heads, d.key_size});
    const Tensor k = ops_.input("k", {kTokens, d.key_heads, d.key_size});
    const Tensor v = ops_.input("v", {kTokens, d.value_heads, d.value_size});
    const Tensor g = d.decays_by_row ? ops_.input("g", {kTokens, d.value_heads, d.key_size})
                                     : ops_.input("g", {kTokens, d.value_heads});
    const Tensor beta = ops_.input("beta", {kTokens, d.value_heads});
    const StateRef memory =
        ops_.b().state(RecurrentState{"memory", 0, d.value_heads, d.key_size, d.value_size});
    ops_.output(ops_.b().gated_delta_rule({q, k, v, g, beta}, memory, d.options));
  }
  /// Tokens [begin, end) of a sequence.
  Floats run(const Delta& d, vernal_sequence_id sequence, std::int64_t begin, std::int64_t end) {
    const auto feed = [&](const char* name, const Floats& x) {
      ops_.feed(name, tokens_of(x, static_cast<std::int64_t>(x.size()) / kT, begin, end));
    };
    feed("q", d.q);
    feed("k", d.k);
    feed("v", d.v);
    feed("g", d.g);
    feed("beta", d.beta);
    return ops_.step({{sequence, static_cast<std::uint64_t>(end - begin)}});
  }
  void expect_exact(Delta d) {
    d.fill();
    build(d);
    const Floats expected = d.expected();
    EXPECT_LE(nmse(run(d, ops_.sequence(), 0, kT), expected), kDeltaBound) << "at once";
    const auto sequence = ops_.sequence();
    Floats found;
    for (const auto& [begin, end] :
         {std::pair<std::int64_t, std::int64_t>{0, 1}, {1, 3}, {3, kT}}) {
      found = joined(found, run(d, sequence, begin, end));
    }
    EXPECT_LE(nmse(found, expected), kDeltaBound) << "in pieces";
  }
};

TEST_P(DeltaRule, ReadsTiledKeyHeads) { expect_exact({}); }

TEST_P(DeltaRule, ReadsGroupedKeyHeads) {
  Delta d;
  d.options.head_map = "grouped";
  expect_exact(d);
}

TEST_P(DeltaRule, NormalisesQueriesAndKeysFirst) {
  Delta d;
  d.options.qk_l2norm = true;
  d.options.eps = 0.01;
  expect_exact(d);
}

// The operation allows a decay for each row of the memory. A backend may refuse it.
TEST_P(DeltaRule, DecaysEachRowByItsOwn) {
  Delta d;
  d.decays_by_row = true;
  try {
    expect_exact(d);
  } catch (const Error& error) {
    if (error.code() != VERNAL_UNSUPPORTED) throw;
    GTEST_SKIP() << error.what();
  }
}

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

TEST_P(Operations, SlicesBeginWhereTheyShould) {
  ops_.output(ops_.b().slice(ops_.input("x", {kTokens, 10}), 1, 3, 4));
  const Floats x = random_floats(3, 5 * 10);
  ops_.feed("x", x);
  const Floats found = ops_.step({{ops_.sequence(), 5}});
  Floats expected;
  for (std::int64_t t = 0; t < 5; ++t) {
    const Floats part = tokens_of(x, 1, t * 10 + 3, t * 10 + 7);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  EXPECT_EQ(found, expected);
}

TEST_P(Operations, OfRowsForTheSameTokenTheLastOneWins) {
  const Tensor x = ops_.input("x", {kTokens, 4});
  const Tensor external = ops_.input("ext", {kExternal, 4});
  const Tensor index = ops_.input("ext_index", {kExternal}, Element::kI32);
  ops_.output(ops_.b().override_rows(x, external, index));
  const Floats rows = random_floats(4, 5 * 4);
  const Floats before = random_floats(5, 3 * 4);
  ops_.feed("x", before);
  ops_.feed("ext", rows);
  ops_.feed_integers("ext_index", {2, 0, 2, 0, 2});
  const Floats found = ops_.step({{ops_.sequence(), 3}});
  EXPECT_EQ(found, joined(joined(tokens_of(rows, 4, 3, 4), tokens_of(before, 4, 1, 2)),
                          tokens_of(rows, 4, 4, 5)));
}

// A backend may load a matrix in pieces, of 16 MiB for example.
TEST_P(Operations, ProductsSeeAllRowsOfALargeMatrix) {
  constexpr std::int64_t kColumns = 4096;
  constexpr std::size_t kRows = 3900;
  constexpr std::size_t kDifferent = 13;  // other rows at the same place of each piece
  const BlockType& type = *find_block_type("ggml.q8_0/1");
  const std::size_t row_bytes = type.row_bytes(kColumns);
  std::vector<std::byte> different(kDifferent * row_bytes);
  const Floats x = random_floats(6, kColumns);
  std::vector<double> products;
  for (std::size_t i = 0; i < kDifferent; ++i) {
    Floats row = random_floats(static_cast<std::uint32_t>(7 + i), kColumns);
    std::byte* const stored = different.data() + i * row_bytes;
    quantize_row_q8_0(row.data(), kColumns, stored);
    dequantize_row(type, stored, kColumns, row.data());
    products.push_back(std::inner_product(x.begin(), x.end(), row.begin(), 0.0));
  }
  std::vector<std::byte> bytes;
  Floats expected;
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto* const row = different.data() + i % kDifferent * row_bytes;
    bytes.insert(bytes.end(), row, row + row_bytes);
    expected.push_back(static_cast<float>(products[i % kDifferent]));
  }
  const WeightRef matrix =
      ops_.stored_weight("large", type.id, {kRows, kColumns}, std::move(bytes));
  ops_.output(ops_.b().linear("large", ops_.input("x", {kTokens, kColumns}), matrix));
  ops_.feed("x", x);
  // Other backends than the reference round x to 8 bits.
  EXPECT_LE(nmse(ops_.step({{ops_.sequence(), 1}}), expected), 4e-4);
}

INSTANTIATE_TEST_SUITE_P(Backends, Operations, testing::ValuesIn(backends_under_test()));
INSTANTIATE_TEST_SUITE_P(Backends, Rotation, testing::ValuesIn(backends_under_test()));
INSTANTIATE_TEST_SUITE_P(Backends, DeltaRule, testing::ValuesIn(backends_under_test()));
INSTANTIATE_TEST_SUITE_P(Backends, Routing, testing::ValuesIn(backends_under_test()));
INSTANTIATE_TEST_SUITE_P(Backends, Experts, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test

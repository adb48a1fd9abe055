// The gated delta rule against a formula without a state (sdk/spec/operations.md, section 4).
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "reference/operations/operations_fixture.hpp"
#include "support/backends_under_test.hpp"
#include "support/model_under_test.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

constexpr double kDeltaBound = 1e-8;
constexpr std::int64_t kT = 70;  // more than a chunk

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

INSTANTIATE_TEST_SUITE_P(Backends, DeltaRule, testing::ValuesIn(backends_under_test()));

}  // namespace
}  // namespace vernal::test

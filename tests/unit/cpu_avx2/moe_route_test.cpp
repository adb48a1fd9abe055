#include "kernels/elementwise/moe_route.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "random_data.hpp"

namespace vernal::cpu_avx2 {
namespace {

struct Options {
  std::int64_t experts;
  std::int64_t used;
  bool has_bias = false;
  bool is_sigmoid = false;
  bool scores_before = true;
  bool is_renormalized = false;
  float scale = 1.0F;
  std::int64_t groups = 1;
  std::int64_t used_groups = 1;
};

struct Routed {
  std::vector<std::int32_t> ids;
  std::vector<float> weights;
};

Routed route(const Options& options, const std::vector<float>& scores,
             const std::vector<float>& bias) {
  const auto rows = static_cast<std::int64_t>(scores.size()) / options.experts;
  Routed out;
  out.ids.resize(static_cast<std::size_t>(rows * options.used), -1);
  out.weights.resize(out.ids.size(), -7.0F);
  MoeRoute r;
  r.scores = scores.data();
  r.bias = options.has_bias ? bias.data() : nullptr;
  r.ids = out.ids.data();
  r.weights = out.weights.data();
  r.num_experts = options.experts;
  r.num_used = options.used;
  r.num_groups = options.groups;
  r.num_used_groups = options.used_groups;
  r.scale = options.scale;
  r.is_sigmoid = options.is_sigmoid;
  r.scores_before = options.scores_before;
  r.is_renormalized = options.is_renormalized;
  std::vector<float> scratch(static_cast<std::size_t>(moe_route_scratch_floats(r)));
  moe_route_rows(r, 0, rows, scratch.data());
  return out;
}

std::vector<double> scored(const Options& options, std::vector<double> x) {
  if (options.is_sigmoid) {
    for (double& v : x) v = 1.0 / (1.0 + std::exp(-v));
    return x;
  }
  const double top = *std::max_element(x.begin(), x.end());
  double sum = 0.0;
  for (double& v : x) sum += v = std::exp(v - top);
  for (double& v : x) v /= sum;
  return x;
}

struct Expected {
  std::vector<std::size_t> ids;
  std::vector<double> weights;
};

/// The definition, row by row, with sorting in the place of searching.
Expected expected(const Options& options, const float* row, const std::vector<float>& bias) {
  const auto experts = static_cast<std::size_t>(options.experts);
  std::vector<double> s(row, row + experts);
  if (options.scores_before) s = scored(options, s);
  std::vector<double> choice = s;
  for (std::size_t e = 0; options.has_bias && e < experts; ++e) choice[e] += bias[e];
  std::vector<std::size_t> candidates(experts);
  std::iota(candidates.begin(), candidates.end(), std::size_t{0});
  if (options.groups > 1) {
    const std::size_t size = experts / static_cast<std::size_t>(options.groups);
    std::vector<std::pair<double, std::size_t>> groups;
    for (std::size_t g = 0; g < experts / size; ++g) {
      std::vector<double> run(choice.begin() + static_cast<std::ptrdiff_t>(g * size),
                              choice.begin() + static_cast<std::ptrdiff_t>((g + 1) * size));
      std::sort(run.rbegin(), run.rend());
      groups.emplace_back(-(run[0] + (size > 1 ? run[1] : 0.0)), g);
    }
    std::sort(groups.begin(), groups.end());
    groups.resize(static_cast<std::size_t>(options.used_groups));
    std::erase_if(candidates, [&](std::size_t e) {
      return std::none_of(groups.begin(), groups.end(),
                          [&](const auto& group) { return group.second == e / size; });
    });
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](std::size_t a, std::size_t b) { return choice[a] > choice[b]; });
  candidates.resize(static_cast<std::size_t>(options.used));
  Expected out{candidates, {}};
  for (const std::size_t e : candidates) out.weights.push_back(s[e]);
  if (!options.scores_before) out.weights = scored(options, out.weights);
  const double sum = std::accumulate(out.weights.begin(), out.weights.end(), 0.0);
  for (double& w : out.weights) {
    if (options.is_renormalized) w /= std::max(sum, std::ldexp(1.0, -14));
    w *= static_cast<double>(options.scale);
  }
  return out;
}

std::vector<Options> all_options() {
  std::vector<Options> out;
  for (int bits = 0; bits < 32; ++bits) {
    Options o{32, 4};
    o.has_bias = (bits & 1) != 0;
    o.is_sigmoid = (bits & 2) != 0;
    o.scores_before = (bits & 4) != 0;
    o.is_renormalized = (bits & 8) != 0;
    o.scale = (bits & 16) != 0 ? 2.5F : 1.0F;
    out.push_back(o);
    o.groups = 8;
    o.used_groups = 3;
    out.push_back(o);
    o.groups = 32;
    o.used_groups = 4;
    out.push_back(o);
  }
  out.push_back({1, 1});
  out.push_back({5, 5});
  out.push_back({13, 3});
  return out;
}

TEST(MoeRoute, ChoosesAndWeighsAsTheFormulaSays) {
  for (const Options& options : all_options()) {
    const auto experts = static_cast<std::size_t>(options.experts);
    const auto used = static_cast<std::size_t>(options.used);
    const std::vector<float> scores = random_floats(20 * experts, 51);
    std::vector<float> bias = random_floats(experts, 52);
    for (float& b : bias) b *= 0.1F;
    const Routed found = route(options, scores, bias);
    for (std::size_t row = 0; row < 20; ++row) {
      const Expected wanted = expected(options, scores.data() + row * experts, bias);
      for (std::size_t n = 0; n < used; ++n) {
        EXPECT_EQ(found.ids[row * used + n], static_cast<std::int32_t>(wanted.ids[n]));
        EXPECT_NEAR(found.weights[row * used + n], wanted.weights[n],
                    2e-6 * std::fabs(wanted.weights[n]) + 1e-30);
      }
    }
  }
}

TEST(MoeRoute, LetsTheLowerIndexWinAmongEquals) {
  const std::vector<float> equal(16, 0.5F);
  EXPECT_EQ(route({16, 3}, equal, {}).ids, (std::vector<std::int32_t>{0, 1, 2}));
  Options grouped{16, 3};
  grouped.groups = 4;
  grouped.used_groups = 2;
  EXPECT_EQ(route(grouped, equal, {}).ids, (std::vector<std::int32_t>{0, 1, 2}));
  std::vector<float> scores(16, 0.0F);
  scores[6] = scores[13] = scores[2] = 1.0F;
  EXPECT_EQ(route({16, 4}, scores, {}).ids, (std::vector<std::int32_t>{2, 6, 13, 0}));
}

TEST(MoeRoute, DividesByNoSumBelowItsBound) {
  Options options{8, 2};
  options.is_sigmoid = true;
  options.is_renormalized = true;
  const std::vector<float> scores(8, -60.0F);
  const Routed found = route(options, scores, {});
  EXPECT_NEAR(found.weights[0], std::exp(-60.0) * 16384.0, 1e-27);
}

TEST(MoeRoute, ChoosesDifferentExpertsOfBrokenScoresToo) {
  const float nan = std::nanf("");
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    for (const std::int64_t groups : {1, 4}) {
      for (const bool is_sigmoid : {false, true}) {
        Options options{16, 6};
        options.groups = groups;
        options.used_groups = std::min<std::int64_t>(groups, 2);
        options.is_sigmoid = is_sigmoid;
        std::vector<float> scores = random_floats(32, 53);
        std::fill_n(scores.begin(), 20, bad);
        const Routed found = route(options, scores, {});
        for (std::size_t row = 0; row < 2; ++row) {
          const std::set<std::int32_t> ids(found.ids.begin() + 6 * static_cast<int>(row),
                                           found.ids.begin() + 6 * static_cast<int>(row + 1));
          EXPECT_EQ(ids.size(), 6U);
          EXPECT_GE(*ids.begin(), 0);
          EXPECT_LT(*ids.rbegin(), 16);
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernal::cpu_avx2

// Draws of mirostat against its algorithm in a plain form.
#include "engine/sampling/mirostat.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/philox.hpp"
#include "engine/sampling/sampler.hpp"
#include "unit/engine/sampling/plain_chain.hpp"

namespace vernal {
namespace {

using test::Distribution;
using test::Plain;
using test::plain_temperature;
using test::row_of;

// What the bound mu leaves of a row, as in the paper.
Distribution plain_mirostat(const SamplingOptions& options, std::span<const float> row, double mu) {
  Plain all(row);
  plain_temperature(all, options);
  const std::vector<double> p = all.probabilities();
  if (options.mirostat == 2) {
    std::size_t kept = 1;
    while (kept < p.size() && -std::log2(p[kept]) <= mu) ++kept;
    all.logits.resize(kept);
    return all.distribution();
  }
  double products = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(100, p.size()); ++i) {
    const double t = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += t * std::log(p[i] / p[i + 1]);
    squares += t * t;
  }
  const double s = products / squares;
  const double n = static_cast<double>(row.size());
  const double k = std::pow((s - 1) * std::pow(2.0, mu) / (1 - std::pow(n, -(s - 1))), 1 / s);
  const double most = static_cast<double>(all.logits.size());
  all.logits.resize(static_cast<std::size_t>(std::clamp(k, 1.0, most)));
  return all.distribution();
}

TEST(Mirostat, FollowsItsAlgorithmTokenByToken) {
  for (const int version : {1, 2}) {
    SamplingOptions options;
    options.mirostat = version;
    options.mirostat_tau = 4.0;
    options.mirostat_eta = 0.2;
    options.temperature = 1.3;
    SamplerScratch scratch;
    Sampler sampler(options, 9, 0);
    double mu = 2 * options.mirostat_tau;
    double surprise = 0.0;
    constexpr std::uint64_t kTokens = 400;
    for (std::uint64_t i = 0; i < kTokens; ++i) {
      const std::vector<float> row = row_of(2000, static_cast<std::uint32_t>(i));
      const Distribution expected = plain_mirostat(options, row, mu);
      const TokenId drawn = sampler.draw(row, i, scratch)->chosen.id;
      ASSERT_TRUE(expected.contains(drawn)) << "version " << version << ", token " << i;
      // The draw walks the ids: the reference must end at the same one.
      double target = uniform_draw(9, {0, static_cast<std::uint32_t>(i), 0});
      TokenId walked = expected.rbegin()->first;
      for (const auto& [id, p] : expected) {
        if (p > target) {
          walked = id;
          break;
        }
        target -= p;
      }
      EXPECT_EQ(drawn, walked);
      const double observed = -std::log2(expected.at(drawn));
      mu -= options.mirostat_eta * (observed - options.mirostat_tau);
      surprise += observed;
    }
    EXPECT_NEAR(surprise / kTokens, options.mirostat_tau, 0.15) << "version " << version;
  }
}

}  // namespace
}  // namespace vernal

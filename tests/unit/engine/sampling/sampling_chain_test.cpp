// The draws of the sampling chain against the probabilities that the plain chain gives.
#include "engine/sampling/sampling_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "engine/sampling/sampler.hpp"
#include "text/request/sampling_bounds.hpp"
#include "unit/engine/sampling/plain_chain.hpp"

namespace vernal {
namespace {

using test::Distribution;
using test::plain_chain;
using test::row_of;

// ---- draws against probabilities ----------------------------------------------------------------

// Pearson's statistic, with rare tokens in one class, against the value that chance exceeds once in
// about 30,000 times (Wilson and Hilferty's approximation, four standard deviations).
void expect_fits(const std::map<TokenId, int>& drawn, const Distribution& expected, int count) {
  double statistic = 0.0;
  int classes = 0;
  double rare_expected = 0.0;
  double rare_drawn = 0.0;
  for (const auto& [id, times] : drawn) {
    ASSERT_TRUE(expected.contains(id)) << "token " << id << " was left out";
  }
  for (const auto& [id, p] : expected) {
    const auto found = drawn.find(id);
    const double times = found == drawn.end() ? 0.0 : found->second;
    if (p * count < 8.0) {
      rare_expected += p * count;
      rare_drawn += times;
      continue;
    }
    statistic += (times - p * count) * (times - p * count) / (p * count);
    ++classes;
  }
  if (rare_expected > 8.0) {
    statistic += (rare_drawn - rare_expected) * (rare_drawn - rare_expected) / rare_expected;
    ++classes;
  }
  const double freedom = std::max(classes - 1, 1);
  const double a = 2.0 / (9.0 * freedom);
  const double limit = freedom * std::pow(1.0 - a + 4.0 * std::sqrt(a), 3.0);
  EXPECT_LT(statistic, limit) << classes << " classes";
}

std::map<TokenId, int> draw_many(const SamplingOptions& options, std::span<const float> row,
                                 int count) {
  std::map<TokenId, int> drawn;
  SamplerScratch scratch;
  for (int i = 0; i < count; ++i) {
    Sampler sampler(options, 77, 0);
    ++drawn[sampler.draw(row, static_cast<std::uint64_t>(i), scratch)->chosen.id];
  }
  return drawn;
}

void expect_chain(const SamplingOptions& options, const char* what) {
  SCOPED_TRACE(what);
  const std::vector<float> row = row_of(300, 5);
  constexpr int kDraws = 6000;
  Distribution expected = plain_chain(options, row, false);
  for (auto& [id, p] : expected) p *= 1.0 - options.xtc_probability;
  for (const auto& [id, p] : plain_chain(options, row, true)) {
    expected[id] += p * options.xtc_probability;
  }
  std::erase_if(expected, [](const auto& entry) { return entry.second <= 0.0; });
  ASSERT_TRUE(needs_chain(options));
  expect_fits(draw_many(options, row, kDraws), expected, kDraws);
}

TEST(SamplingChain, DrawsWhatThePlainChainSays) {
  SamplingOptions options;
  options.typical_p = 0.6;
  expect_chain(options, "typical_p");
  options = {};
  options.top_n_sigma = 1.5;
  expect_chain(options, "top_n_sigma");
  options = {};
  options.xtc_probability = 0.5;
  options.xtc_threshold = 0.03;
  expect_chain(options, "xtc");
  options.xtc_probability = 1.0;
  expect_chain(options, "xtc always");
  options = {};
  options.temperature = 1.2;
  options.dynatemp_range = 0.9;
  options.dynatemp_exponent = 1.7;
  expect_chain(options, "dynatemp");
  options = {};
  options.min_keep = 7;
  options.top_p = 0.01;
  expect_chain(options, "min_keep of top_p");
  options.top_p = 1.0;
  options.min_p = 0.99;
  expect_chain(options, "min_keep of min_p");
  options.min_p = 0.0;
  options.top_k = 2;
  expect_chain(options, "min_keep of top_k");
  options = {};
  options.top_k = 100;
  options.typical_p = 0.9;
  options.top_p = 0.85;
  options.min_p = 0.02;
  options.top_n_sigma = 2.0;
  options.xtc_probability = 0.3;
  options.xtc_threshold = 0.05;
  options.temperature = 1.4;
  options.dynatemp_range = 0.5;
  options.min_keep = 3;
  expect_chain(options, "all of them");
}

TEST(SamplingChain, KeepsToTheOrderOfTheRequest) {
  SamplingOptions options;
  options.temperature = 2.0;
  options.top_p = 0.5;
  options.has_own_order = true;
  options.samplers = {SamplerStage::kTemperature, SamplerStage::kTopP};
  expect_chain(options, "temperature first");
  const auto hot = draw_many(options, row_of(300, 5), 4000);
  options.samplers = {SamplerStage::kTopP, SamplerStage::kTemperature};
  expect_chain(options, "top_p first");
  EXPECT_GT(hot.size(), draw_many(options, row_of(300, 5), 4000).size());
  options.samplers = {};
  expect_chain(options, "none");
  EXPECT_GT(draw_many(options, row_of(300, 5), 4000).size(), 150U);
}

TEST(SamplingChain, TakesWhatTheCommonPathTakes) {
  int differences = 0;
  for (std::uint32_t round = 0; round < 200; ++round) {
    const std::vector<float> row = row_of(round % 2 == 0 ? 1000 : 20'000, round);
    SamplingOptions options;
    options.top_k = round % 3 == 0 ? 40 : 0;
    options.top_p = round % 4 == 0 ? 1.0 : 0.9;
    options.min_p = round % 5 == 0 ? 0.05 : 0.0;
    options.temperature = 0.1 * (round % 9);
    options.repetition_penalty = round % 7 == 0 ? 1.3 : 1.0;
    options.frequency_penalty = 0.25 * (round % 3);
    SamplingOptions ordered = options;
    ordered.has_own_order = true;
    for (const SamplerName& known : kSamplerNames) ordered.samplers.push_back(known.stage);
    ASSERT_FALSE(needs_chain(options));
    ASSERT_TRUE(needs_chain(ordered));
    SamplerScratch scratch;
    Sampler common(options, round, 0);
    Sampler chain(ordered, round, 0);
    const std::vector<TokenId> prompt = {1, 2, 3, 1};
    common.see_prompt(prompt);
    chain.see_prompt(prompt);
    for (std::uint64_t position = 0; position < 4; ++position) {
      differences += common.draw(row, position, scratch)->chosen.id !=
                             chain.draw(row, position, scratch)->chosen.id
                         ? 1
                         : 0;
    }
  }
  EXPECT_LE(differences, 2);  // sums in another order may move a border
}

TEST(SamplingChain, AppliesPenaltiesWhereTheOrderHasThem) {
  SamplingOptions options;
  options.temperature = 0.0;
  options.presence_penalty = 2.0;
  options.has_own_order = true;
  options.samplers = {SamplerStage::kTopK, SamplerStage::kPenalties, SamplerStage::kTemperature};
  options.top_k = 2;
  const std::vector<float> row = {5.0F, 4.5F, 4.4F};
  SamplerScratch scratch;
  Sampler late(options, 1, 0);
  std::vector<TokenId> tokens;
  for (std::uint64_t i = 0; i < 3; ++i) tokens.push_back(late.draw(row, i, scratch)->chosen.id);
  EXPECT_EQ(tokens, (std::vector<TokenId>{0, 1, 0}));  // 2 never is among the best two
  options.samplers = {SamplerStage::kPenalties, SamplerStage::kTopK, SamplerStage::kTemperature};
  Sampler early(options, 1, 0);
  tokens.clear();
  for (std::uint64_t i = 0; i < 3; ++i) tokens.push_back(early.draw(row, i, scratch)->chosen.id);
  EXPECT_EQ(tokens, (std::vector<TokenId>{0, 1, 2}));
  options.samplers = {SamplerStage::kTemperature};
  Sampler without(options, 1, 0);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(without.draw(row, i, scratch)->chosen.id, 0);
}

// ---- what all of them keep to -------------------------------------------------------------------

std::vector<SamplingOptions> many_options() {
  std::vector<SamplingOptions> all(6);
  all[0].mirostat = 2;
  all[1].mirostat = 1;
  all[2].xtc_probability = 0.5;
  all[3].dry_multiplier = 1.0;
  all[4].penalty_last_n = 5;
  all[4].repetition_penalty = 1.5;
  all[4].frequency_penalty = 0.5;
  all[5].typical_p = 0.5;
  all[5].presence_penalty = 0.5;
  all[5].repetition_penalty = 0.8;
  return all;
}

TEST(SamplingChain, ForgetsDrawsAsIfTheyHadNotBeen) {
  const std::vector<TokenId> prompt = {3, 4, 5, 3, 4};
  for (const SamplingOptions& options : many_options()) {
    SamplerScratch scratch;
    Sampler straight(options, 4, 0);
    Sampler winding(options, 4, 0);
    straight.see_prompt(prompt);
    winding.see_prompt(prompt);
    for (std::uint64_t i = 0; i < 60; ++i) {
      const std::vector<float> row = row_of(30, static_cast<std::uint32_t>(i));
      for (std::uint64_t detour = 0; detour < i % 4; ++detour) {
        winding.draw(row_of(30, static_cast<std::uint32_t>(1000 + i)), i + detour, scratch);
      }
      winding.forget(i % 4);
      EXPECT_EQ(winding.draw(row, i, scratch)->chosen.id,
                straight.draw(row, i, scratch)->chosen.id);
    }
  }
}

TEST(SamplingChain, NeverDrawsWhatTheLimitsForbid) {
  std::vector<std::uint32_t> allowed(2, 0);  // tokens 64 and up may not come either
  for (const TokenId token : {3, 17, 31, 32, 63}) {
    allowed[static_cast<std::size_t>(token / 32)] |= 1U << (static_cast<unsigned>(token) % 32U);
  }
  const std::vector<TokenId> forbidden = {17};
  const std::vector<TokenId> also = {63};
  TokenLimits limits{allowed, forbidden, also};
  for (SamplingOptions options : many_options()) {
    options.logit_bias = {{5, 100.0F}};
    SamplerScratch scratch;
    Sampler sampler(options, 4, 0, 3);
    std::map<TokenId, int> drawn;
    for (std::uint64_t i = 0; i < 300; ++i) {
      const std::vector<float> row(100, 1.0F);
      const auto token = sampler.draw(row, i, scratch, limits);
      ++drawn[token->chosen.id];
      EXPECT_NEAR(token->chosen.logprob, -std::log(100.0), 1e-5);  // of the raw row
    }
    for (const auto& [id, times] : drawn) EXPECT_TRUE(id == 3 || id == 31 || id == 32) << id;
    EXPECT_GE(drawn.size(), 2U);
    allowed.assign(2, 0);
    EXPECT_FALSE(sampler.draw(std::vector<float>(100, 1.0F), 300, scratch, limits));
    allowed = {1U << 3U | 1U << 17U | 1U << 31U, 1U | 1U << 31U};
    limits.allowed = allowed;
  }
}

TEST(SamplingChain, DrawsAnewForARetry) {
  const std::vector<float> row(1000, 0.0F);
  SamplerScratch scratch;
  std::map<TokenId, int> drawn;
  const SamplingOptions plain;
  for (std::uint32_t retry = 0; retry < 50; ++retry) {
    Sampler sampler(plain, 4, 0);
    TokenLimits limits;
    limits.num_retries = retry;
    ++drawn[sampler.draw(row, 7, scratch, limits)->chosen.id];
  }
  EXPECT_GT(drawn.size(), 40U);
}

}  // namespace
}  // namespace vernal

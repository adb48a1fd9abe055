#include "engine/sampling/sampler.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "engine/sampling/philox.hpp"

namespace vernal {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplingOptions greedy() {
  SamplingOptions options;
  options.temperature = 0.0;
  return options;
}

std::vector<float> random_row(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 3.0F);
  std::vector<float> row(size);
  for (float& logit : row) logit = normal(random);
  return row;
}

TokenId draw_one(const SamplingOptions& options, std::span<const float> row,
                 std::uint64_t position = 0, std::uint64_t seed = 1) {
  SamplerScratch scratch;
  Sampler sampler(options, seed, 0);
  const auto token = sampler.draw(row, position, scratch);
  EXPECT_TRUE(token.has_value());
  return token ? token->chosen.id : kNoToken;
}

std::map<TokenId, int> draw_many(const SamplingOptions& options, std::span<const float> row,
                                 int count) {
  std::map<TokenId, int> drawn;
  for (int i = 0; i < count; ++i) {
    ++drawn[draw_one(options, row, static_cast<std::uint64_t>(i))];
  }
  return drawn;
}

TEST(Sampler, TakesTheLowestIdOfEqualLogitsAtTemperatureZero) {
  EXPECT_EQ(draw_one(greedy(), std::vector<float>{1, 5, 5, 2}), 1);
  std::vector<float> row(1000, -1.0F);
  row[17] = row[999] = 3.0F;
  EXPECT_EQ(draw_one(greedy(), row), 17);
  EXPECT_EQ(draw_one(greedy(), std::vector<float>{-kInfinity, -4}), 1);
}

TEST(Sampler, RefusesRowsThatAreNoDistribution) {
  SamplerScratch scratch;
  for (const double temperature : {0.0, 1.0}) {
    SamplingOptions options;
    options.temperature = temperature;
    for (const std::vector<float>& row :
         {std::vector<float>{1, kNan, 2}, std::vector<float>(100, -kInfinity),
          std::vector<float>(100, kNan), std::vector<float>{1, kInfinity}, std::vector<float>{}}) {
      Sampler sampler(options, 1, 0);
      EXPECT_FALSE(sampler.draw(row, 0, scratch).has_value());
    }
  }
}

TEST(Sampler, DrawsInProportionToTheProbabilities) {
  const std::vector<float> row = {std::log(1.0F), std::log(2.0F), std::log(7.0F), -kInfinity};
  const auto drawn = draw_many({}, row, 10'000);
  EXPECT_NEAR(drawn.at(0), 1000, 120);
  EXPECT_NEAR(drawn.at(1), 2000, 160);
  EXPECT_NEAR(drawn.at(2), 7000, 180);
  EXPECT_FALSE(drawn.contains(3));
}

TEST(Sampler, FlattensAndSharpensWithTheTemperature) {
  SamplingOptions options;
  options.temperature = 2.0;
  const std::vector<float> row = {0.0F, std::log(9.0F)};
  EXPECT_NEAR(draw_many(options, row, 10'000).at(1), 7500, 180);
  options.temperature = 0.5;
  EXPECT_NEAR(draw_many(options, row, 10'000).at(1), 10'000 * 81 / 82, 60);
}

TEST(Sampler, KeepsTheTopKWithTheLowestIdsOfEqualOnes) {
  SamplingOptions options;
  options.top_k = 3;
  const auto drawn = draw_many(options, std::vector<float>{1, 2, 1, 3, 1, 1}, 2000);
  EXPECT_EQ(drawn.size(), 3U);
  EXPECT_TRUE(drawn.contains(0) && drawn.contains(1) && drawn.contains(3));
  options.top_k = 1;
  EXPECT_EQ(draw_many(options, std::vector<float>{1, 2, 1, 3, 1, 1}, 50).at(3), 50);
}

TEST(Sampler, KeepsTheNucleusThatReachesTopP) {
  SamplingOptions options;
  options.top_p = 0.75;
  const std::vector<float> row = {std::log(0.1F), std::log(0.5F), std::log(0.1F), std::log(0.3F)};
  const auto drawn = draw_many(options, row, 2000);
  EXPECT_EQ(drawn.size(), 2U);
  EXPECT_TRUE(drawn.contains(1) && drawn.contains(3));
  options.top_p = 0.0;
  EXPECT_EQ(draw_many(options, row, 50).at(1), 50);
}

TEST(Sampler, KeepsWhatIsMinPTimesAsLikelyAsTheBest) {
  SamplingOptions options;
  options.min_p = 0.25;
  const std::vector<float> row = {std::log(0.1F), std::log(0.5F), std::log(0.1F), std::log(0.3F)};
  EXPECT_EQ(draw_many(options, row, 2000).size(), 2U);
  options.min_p = 1.0;
  EXPECT_EQ(draw_many(options, row, 50).at(1), 50);
}

// The sampling chain in its simplest form: it sorts the whole row.
TokenId reference_draw(const SamplingOptions& options, const std::vector<float>& row,
                       std::uint64_t position) {
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < row.size(); ++i) all.push_back({static_cast<TokenId>(i), row[i]});
  std::sort(all.begin(), all.end());
  const float max = all.front().logit;
  if (options.top_k > 0) all.resize(std::min(static_cast<std::size_t>(options.top_k), all.size()));
  if (options.top_p < 1.0) {
    double total = 0.0;
    for (const Candidate& c : all) total += std::exp(static_cast<double>(c.logit - max));
    double sum = 0.0;
    std::size_t kept = 0;
    while (kept < all.size()) {
      sum += std::exp(static_cast<double>(all[kept++].logit - max));
      if (sum >= options.top_p * total) break;
    }
    all.resize(kept);
  }
  std::erase_if(all, [&](const Candidate& c) {
    return std::exp(static_cast<double>(c.logit - max)) < options.min_p;
  });
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  const auto mass = [&](const Candidate& c) {
    return std::exp(static_cast<double>(c.logit - max) / options.temperature);
  };
  double total = 0.0;
  for (const Candidate& c : all) total += mass(c);
  double target = uniform_draw(1, {0, static_cast<std::uint32_t>(position), 0}) * total;
  for (const Candidate& c : all) {
    if (mass(c) > target) return c.id;
    target -= mass(c);
  }
  return all.back().id;
}

TEST(Sampler, AgreesWithThePlainChainOnLongRows) {
  int differences = 0;
  for (std::uint32_t round = 0; round < 60; ++round) {
    const std::vector<float> row = random_row(round % 2 == 0 ? 5003 : 150'001, round);
    SamplingOptions options;
    options.top_k = round % 3 == 0 ? 40 : (round % 3 == 1 ? 0 : 5000);
    options.top_p = round % 4 == 0 ? 1.0 : 0.9;
    options.min_p = round % 5 == 0 ? 0.05 : 0.0;
    options.temperature = 0.3 + 0.1 * (round % 9);
    differences += draw_one(options, row, round) != reference_draw(options, row, round) ? 1 : 0;
  }
  EXPECT_LE(differences, 1);  // sums in another order may move a border
}

TEST(Sampler, PenalisesWhatWasGeneratedAndRepeatedTokensOfThePrompt) {
  SamplerScratch scratch;
  SamplingOptions options = greedy();
  options.presence_penalty = 1.0;
  options.frequency_penalty = 0.5;
  const std::vector<float> row = {5.0F, 4.0F, 3.2F};
  Sampler sampler(options, 1, 0);
  sampler.see_prompt(std::vector<TokenId>{0, 0, 0});  // not counted by these two
  std::vector<TokenId> tokens;
  for (std::uint64_t i = 0; i < 5; ++i) tokens.push_back(sampler.draw(row, i, scratch)->chosen.id);
  // 0: 5, then 3.5, 3.0; 1: 4, then 2.5; 2: 3.2
  EXPECT_EQ(tokens, (std::vector<TokenId>{0, 1, 0, 2, 0}));

  SamplingOptions repetition = greedy();
  repetition.repetition_penalty = 2.0;
  Sampler repeated(repetition, 1, 0);
  repeated.see_prompt(std::vector<TokenId>{0});
  EXPECT_EQ(repeated.draw(row, 0, scratch)->chosen.id, 1);  // 5 / 2 < 4
  EXPECT_EQ(repeated.draw(row, 1, scratch)->chosen.id, 2);  // 4 / 2 < 3.2
  Sampler negative(repetition, 1, 0);
  negative.see_prompt(std::vector<TokenId>{0});
  EXPECT_EQ(negative.draw(std::vector<float>{-1.0F, -1.5F}, 0, scratch)->chosen.id, 1);
}

TEST(Sampler, AddsBiasesAndIgnoresThoseOfUnknownTokens) {
  SamplingOptions options = greedy();
  options.logit_bias = {{2, 100.0F}, {500, 100.0F}};
  EXPECT_EQ(draw_one(options, std::vector<float>{5, 4, 3}), 2);
  options.logit_bias = {{0, -100.0F}};
  EXPECT_EQ(draw_one(options, std::vector<float>{5, 4, 3}), 1);
}

TEST(Sampler, ReportsProbabilitiesOfTheRawLogits) {
  SamplerScratch scratch;
  SamplingOptions options = greedy();
  options.logit_bias = {{0, 100.0F}};
  Sampler sampler(options, 1, 0, 2);
  const std::vector<float> row = {std::log(0.125F), std::log(0.5F), std::log(0.375F), -kInfinity};
  const auto token = sampler.draw(row, 0, scratch);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->chosen.id, 0);
  EXPECT_NEAR(token->chosen.logprob, std::log(0.125), 1e-6);
  ASSERT_EQ(token->alternatives.size(), 2U);
  EXPECT_EQ(token->alternatives[0].id, 1);
  EXPECT_NEAR(token->alternatives[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(token->alternatives[1].id, 2);
  Sampler all(options, 1, 0, 20);
  EXPECT_EQ(all.draw(row, 0, scratch)->alternatives.back().logprob, -9999.0);
}

TEST(Sampler, DependsOnSeedChoiceAndPositionAlone) {
  const std::vector<float> row = random_row(1000, 3);
  SamplerScratch scratch;
  const SamplingOptions options;
  Sampler used(options, 42, 1);
  for (std::uint64_t i = 0; i < 20; ++i) used.draw(random_row(1000, 9), i, scratch);
  Sampler other_choice(options, 42, 2);
  Sampler other_seed(options, 43, 1);
  int same_choice = 0;
  int same_seed = 0;
  for (std::uint64_t position = 100; position < 140; ++position) {
    Sampler again(options, 42, 1);
    const TokenId expected = again.draw(row, position, scratch)->chosen.id;
    EXPECT_EQ(used.draw(row, position, scratch)->chosen.id, expected);
    same_choice += other_choice.draw(row, position, scratch)->chosen.id == expected ? 1 : 0;
    same_seed += other_seed.draw(row, position, scratch)->chosen.id == expected ? 1 : 0;
  }
  EXPECT_LT(same_choice, 20);
  EXPECT_LT(same_seed, 20);
}

TEST(LogitsMath, ApproximatesTheExponentialClosely) {
  for (float x = 0.0F; x > -86.0F; x -= 0.0137F) {
    const double exact = std::exp(static_cast<double>(x));
    EXPECT_NEAR(static_cast<double>(exp_nonpositive(x)) / exact, 1.0, 4e-7) << x;
  }
  EXPECT_EQ(exp_nonpositive(0.0F), 1.0F);
  EXPECT_EQ(exp_nonpositive(-kInfinity), 0.0F);
  EXPECT_EQ(exp_nonpositive(-88.0F), 0.0F);
}

TEST(LogitsMath, SelectsAsASortDoes) {
  for (const std::size_t size : {1U, 2U, 17U, 5000U, 20'000U}) {
    std::vector<float> row = random_row(size, static_cast<std::uint32_t>(size));
    for (std::size_t i = 0; i < size; i += 3) row[i] = std::round(row[i]);  // ties
    std::vector<Candidate> sorted;
    for (std::size_t i = 0; i < size; ++i) sorted.push_back({static_cast<TokenId>(i), row[i]});
    std::sort(sorted.begin(), sorted.end());
    for (const std::size_t count : {0U, 1U, 7U, 5000U, 100'000U}) {
      std::vector<Candidate> selected;
      select_top(row, count, selected);
      ASSERT_EQ(selected.size(), std::min(count, size));
      for (std::size_t i = 0; i < selected.size(); ++i) EXPECT_EQ(selected[i].id, sorted[i].id);
    }
  }
}

}  // namespace
}  // namespace vernal

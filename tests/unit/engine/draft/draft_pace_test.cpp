#include "engine/draft/draft_pace.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vernal {
namespace {

// So often that it is known.
void observe(StepCosts& costs, std::size_t num_tokens, double seconds, int times = 3) {
  for (int i = 0; i < times; ++i) costs.observe(num_tokens, seconds);
}

// Steps whose time is `first` and `more` for each token beyond the first.
StepCosts costs_of(double first, double more) {
  StepCosts costs;
  for (std::size_t n = 1; n <= StepCosts::kMaxTokens; ++n) {
    observe(costs, n, first + more * static_cast<double>(n - 1));
  }
  return costs;
}

void learn(DraftPace& pace, std::size_t num_accepted, int times = 60) {
  for (int i = 0; i < times; ++i) pace.count(5, 8, num_accepted);
}

TEST(StepCosts, AreKnownOnlyOfWhatWasSeen) {
  StepCosts costs;
  EXPECT_EQ(costs.estimate(1), 0.0);
  costs.observe(1, 0.030);
  EXPECT_DOUBLE_EQ(costs.estimate(1), 0.030);
  EXPECT_GT(costs.estimate(2), 0.030);
  observe(costs, 1, 0.030);
  observe(costs, 5, 0.050);
  EXPECT_DOUBLE_EQ(costs.estimate(3), 0.040) << "between two that are known";
  costs.observe(0, 1.0);
  costs.observe(StepCosts::kMaxTokens + 1, 1.0);
  EXPECT_DOUBLE_EQ(costs.estimate(1), 0.030);
}

TEST(StepCosts, FollowSlowlyAndHardlyHeedOneSlowStep) {
  StepCosts costs;
  observe(costs, 1, 0.030);
  costs.observe(1, 3.0);
  EXPECT_LT(costs.estimate(1), 0.110);
  for (int i = 0; i < 100; ++i) costs.observe(1, 0.050);
  EXPECT_NEAR(costs.estimate(1), 0.050, 0.001);
}

TEST(StepCosts, OfANumberThatWasSlowByChanceAreLookedAtAgainSoon) {
  StepCosts costs;
  observe(costs, 1, 0.030);
  costs.observe(2, 0.300);
  EXPECT_DOUBLE_EQ(costs.estimate(2), 0.300);
  observe(costs, 1, 0.030, 70);
  EXPECT_LT(costs.estimate(2), 0.035);
  costs.observe(2, 0.040);
  EXPECT_DOUBLE_EQ(costs.estimate(2), 0.040);
  costs.observe(2, 0.300);
  EXPECT_DOUBLE_EQ(costs.estimate(2), 0.040) << "the fastest of the first steps";
}

TEST(StepCosts, OfLongAgoAreLookedAtAgainTheSmallestFirst) {
  StepCosts costs;
  observe(costs, 1, 0.030);
  observe(costs, 2, 0.300);
  observe(costs, 3, 0.300);
  observe(costs, 1, 0.030, 400);
  EXPECT_DOUBLE_EQ(costs.estimate(2), 0.300);
  observe(costs, 1, 0.030, 150);
  EXPECT_LT(costs.estimate(2), 0.035);
  EXPECT_DOUBLE_EQ(costs.estimate(3), 0.300) << "not before 2 was seen";
  observe(costs, 2, 0.050);
  EXPECT_DOUBLE_EQ(costs.estimate(2), 0.050);
  EXPECT_LT(costs.estimate(3), 0.055);
}

TEST(StepCosts, OfNumbersThatWereNeverSeenAreTriedBelowASlowOne) {
  StepCosts costs;
  observe(costs, 1, 0.030);
  costs.observe(6, 0.090);
  EXPECT_LT(costs.estimate(2), 0.032);
  EXPECT_GT(costs.estimate(3), 0.050) << "not before 2 was seen";
}

// Else steps without guesses, which are not seen while guesses are taken, would seem slower than they
// are.
TEST(StepCosts, OfLongAgoAreNotBelievedToHaveRisen) {
  StepCosts costs;
  observe(costs, 1, 0.030);
  observe(costs, 3, 0.050, 600);
  EXPECT_DOUBLE_EQ(costs.estimate(1), 0.030);
}

TEST(DraftPace, GuessesNothingBeforeItKnowsWhatAStepCosts) {
  EXPECT_EQ(DraftPace().choose(5, 8, 1, StepCosts()), 0U);
}

TEST(DraftPace, TakesAllThatComesTrueWhereColumnsAreCheap) {
  DraftPace pace;
  learn(pace, 8);
  EXPECT_EQ(pace.choose(5, 8, 1, costs_of(0.030, 0.001)), 8U);
  EXPECT_EQ(pace.choose(5, 3, 1, costs_of(0.030, 0.001)), 3U) << "no more than there are";
}

TEST(DraftPace, TakesNoneThatCostMoreThanTheyBring) {
  DraftPace pace;
  learn(pace, 8);
  EXPECT_EQ(pace.choose(5, 8, 1, costs_of(0.030, 0.030)), 0U);
  DraftPace unlucky;
  learn(unlucky, 0);
  EXPECT_EQ(unlucky.choose(5, 8, 1, costs_of(0.030, 0.003)), 0U);
}

TEST(DraftPace, TakesFewWhereFewComeTrue) {
  DraftPace pace;
  for (int i = 0; i < 200; ++i) pace.count(5, 2, i % 2 == 0 ? 1 : 0);
  const std::size_t few = pace.choose(5, 8, 1, costs_of(0.030, 0.002));
  EXPECT_GE(few, 1U);
  EXPECT_LE(few, 3U);
}

TEST(DraftPace, CountsWhatGuessesTake) {
  DraftPace pace;
  learn(pace, 8);
  const StepCosts costs = costs_of(0.030, 0.001);
  EXPECT_EQ(pace.choose(5, 8, 1, costs, 0.010), 8U);
  EXPECT_EQ(pace.choose(5, 8, 1, costs, 0.100), 0U) << "longer than a step without";
  EXPECT_EQ(pace.choose(5, 1, 1, costs, 0.020), 1U);
  EXPECT_EQ(pace.choose(5, 1, 1, costs, 0.040), 0U);
}

// Else a first try with many, of which the first failed, would be the last one.
TEST(DraftPace, TriesFewWhereManyWereSlow) {
  DraftPace pace;
  StepCosts costs;
  observe(costs, 1, 0.030);
  costs.observe(6, 0.090);
  pace.count(0, 5, 0);
  EXPECT_EQ(pace.choose(0, 8, 1, costs, 0.002), 1U);
}

TEST(DraftPace, TriesAgainAfterAWhile) {
  DraftPace pace;
  learn(pace, 0);
  const StepCosts costs = costs_of(0.030, 0.003);
  int num_skipped = 0;
  while (pace.choose(5, 8, 1, costs) == 0 && num_skipped < 1000) {
    pace.count(5, 0, 0);
    ++num_skipped;
  }
  EXPECT_GT(num_skipped, 10) << "what was learned is not forgotten at once";
  EXPECT_LT(num_skipped, 200);
}

// Else the few newest draws decide how many guesses a step takes, and too many or too few are made by
// turns.
TEST(DraftPace, KnowsASteadyChanceWell) {
  DraftPace pace;
  std::mt19937 generator(1);
  std::bernoulli_distribution comes_true(0.7);
  double error = 0.0;
  constexpr int kDraws = 2000;
  for (int i = 0; i < kDraws; ++i) {
    pace.count(5, 1, comes_true(generator) ? 1 : 0);
    error += std::abs(pace.chance(5) - 0.7);
  }
  EXPECT_LT(error / kDraws, 0.08);
}

TEST(DraftPace, FollowsATextThatChanges) {
  DraftPace pace;
  for (int i = 0; i < 1000; ++i) pace.count(5, 1, 1);
  for (int i = 0; i < 40; ++i) pace.count(5, 1, 0);
  EXPECT_LT(pace.chance(5), 0.1);
}

TEST(DraftPace, SoonGivesUpWhatDoesNotComeTrue) {
  DraftPace pace;
  const StepCosts costs = costs_of(0.030, 0.003);
  int num_tries = 0;
  for (; pace.choose(5, 8, 1, costs) > 0; ++num_tries) pace.count(5, 1, 0);
  EXPECT_LE(num_tries, 10);
}

// Each try costs, so one that has failed must not bring the next one a few steps later.
TEST(DraftPace, SeldomTriesWhatSeldomComesTrue) {
  DraftPace pace;
  learn(pace, 0);
  const StepCosts costs = costs_of(0.030, 0.003);
  int num_tries = 0;
  constexpr int kSteps = 1000;
  for (int i = 0; i < kSteps; ++i) {
    const std::size_t count = pace.choose(5, 8, 1, costs);
    if (count > 0) ++num_tries;
    pace.count(5, count, 0);
  }
  EXPECT_GE(num_tries, kSteps / 200);
  EXPECT_LE(num_tries, kSteps / 25);
}

TEST(DraftPace, IsBackAtOnceWhereGuessesComeTrueAgain) {
  DraftPace pace;
  learn(pace, 0);
  const StepCosts costs = costs_of(0.030, 0.001);
  while (pace.choose(5, 8, 1, costs) == 0) pace.count(5, 0, 0);
  int num_tries = 0;
  for (; pace.choose(5, 8, 1, costs) < 8 && num_tries < 100; ++num_tries) {
    const std::size_t count = pace.choose(5, 8, 1, costs);
    pace.count(5, count, count);
  }
  EXPECT_LE(num_tries, 6);
}

TEST(DraftPace, LearnsOfShortAndLongMatchesApart) {
  DraftPace pace;
  learn(pace, 0);
  EXPECT_LT(pace.chance(5), 0.01);
  EXPECT_GT(pace.chance(20), 0.5);
}

TEST(DraftPace, StaysWithinTheStepsThatAreLearnedFrom) {
  DraftPace pace;
  learn(pace, 8);
  EXPECT_EQ(pace.choose(5, 8, StepCosts::kMaxTokens, costs_of(0.030, 0.0)), 0U);
}

}  // namespace
}  // namespace vernal

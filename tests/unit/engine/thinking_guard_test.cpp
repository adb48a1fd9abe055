// When thinking is ended: at its budget, and in a loop.
#include "engine/answer/thinking_guard.hpp"

#include <gtest/gtest.h>

namespace vernal {
namespace {

using Verdict = ThinkingGuard::Verdict;

/// The number of tokens after which it is ended; 0: it is not.
std::size_t ended_after(ThinkingGuard guard, std::size_t num_tokens, std::size_t period,
                        std::string_view text, Verdict expected) {
  for (std::size_t i = 0; i < num_tokens; ++i) {
    const Verdict verdict = guard.push(static_cast<TokenId>(i % period), text);
    if (verdict == Verdict::kGoOn) continue;
    EXPECT_EQ(verdict, expected);
    return i + 1;
  }
  return 0;
}

TEST(ThinkingGuard, EndsAtALineEndBehindTheBudget) {
  EXPECT_EQ(ended_after(ThinkingGuard(100), 1000, 1000, "\n", Verdict::kBudgetSpent), 100U);
  EXPECT_EQ(ended_after(ThinkingGuard(100), 1000, 1000, "word", Verdict::kBudgetSpent), 110U);
  EXPECT_EQ(ended_after(ThinkingGuard(0), 1000, 1000, "word", Verdict::kBudgetSpent), 1U);
}

TEST(ThinkingGuard, LetsThinkingWithoutBudgetGoOn) {
  EXPECT_EQ(ended_after(ThinkingGuard(std::nullopt), 5000, 5000, "word", Verdict::kLoop), 0U);
}

TEST(ThinkingGuard, EndsALoopOfAnyLengthUpToItsLongest) {
  for (const std::size_t period : {1U, 2U, 31U, 100U, 128U}) {
    const std::size_t ended =
        ended_after(ThinkingGuard(std::nullopt), 5000, period, "word", Verdict::kLoop);
    EXPECT_GE(ended, 192U) << period;
    EXPECT_LE(ended, 560U) << period;
  }
  EXPECT_EQ(ended_after(ThinkingGuard(std::nullopt), 5000, 129, "word", Verdict::kLoop), 0U);
}

}  // namespace
}  // namespace vernal

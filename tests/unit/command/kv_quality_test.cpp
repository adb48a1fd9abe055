#include "command/kv_quality.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "command/text_scores.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

std::string problem_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT);
    return error.what();
  }
  return "none";
}

TEST(KvQuality, ReadsFormatsOfKeysAndValues) {
  EXPECT_EQ(parse_kv_format("q8_0").values, "q8_0");
  EXPECT_EQ(parse_kv_format("q8_0/q4_0").keys, "q8_0");
  EXPECT_EQ(parse_kv_format("q8_0/q4_0").values, "q4_0");
  EXPECT_EQ(kv_format_text(parse_kv_format("q8_0/q4_0")), "q8_0/q4_0");
  EXPECT_EQ(kv_format_text(parse_kv_format("q4_0/q4_0")), "q4_0");
  for (const char* text : {"", "q9", "q8_0/", "/q8_0", "q8_0/q8_0/q8_0", "q8_0 "}) {
    EXPECT_NE(problem_of([&] { parse_kv_format(text); }).find("expected a format"),
              std::string::npos)
        << text;
  }
}

TEST(KvQuality, ReadsCountsOfTokens) {
  EXPECT_EQ(parse_token_count("0"), 0U);
  EXPECT_EQ(parse_token_count("512"), 512U);
  EXPECT_EQ(parse_token_count("2K"), 2048U);
  EXPECT_EQ(parse_token_count("8k"), 8192U);
  for (const char* text : {"", "K", "-1", "2KK", "1.5K", "2M", "99999999999999999999", "16385K"}) {
    EXPECT_NE(problem_of([&] { parse_token_count(text); }).find("expected a number"),
              std::string::npos)
        << text;
  }
}

TEST(KvQuality, IsNothingForTheSameLogits) {
  const KvBaseline baseline{{1.0F, 2.0F, 3.0F}, {log_sum_of(std::vector{1.0F, 2.0F, 3.0F})}};
  KvComparison comparison(baseline, 7);
  comparison.add(0, std::vector{1.0F, 2.0F, 3.0F}, 1);
  const KvQuality quality = comparison.result();
  EXPECT_EQ(quality.depth, 7U);
  EXPECT_NEAR(quality.divergence, 0.0, 1e-7);
  EXPECT_EQ(quality.agreement, 1.0);
  EXPECT_EQ(quality.perplexity, quality.baseline_perplexity);
}

TEST(KvQuality, IsTheDivergenceOfItsDefinition) {
  // p = (1/4, 3/4), q = (1/2, 1/2); the second row is equal in both.
  const auto p = std::vector{0.0F, std::log(3.0F)};
  const KvBaseline baseline{{p[0], p[1], p[0], p[1]}, {log_sum_of(p), log_sum_of(p)}};
  KvComparison comparison(baseline, 0);
  comparison.add(0, std::vector{5.0F, 5.0F}, 0);
  comparison.add(1, p, 1);
  const KvQuality quality = comparison.result();
  const double expected = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(quality.worst_divergence, expected, 1e-6);
  EXPECT_NEAR(quality.divergence, expected / 2, 1e-6);
  EXPECT_EQ(quality.agreement, 0.5);
  EXPECT_NEAR(quality.perplexity, std::sqrt(2.0 / 0.75), 1e-6);
  EXPECT_NEAR(quality.baseline_perplexity, std::sqrt(4.0 / 0.75), 1e-6);
}

TEST(KvQuality, RefusesRowsThatAreNoDistribution) {
  EXPECT_THROW(log_sum_of(std::vector{1.0F, std::nanf("")}), Error);
}

KvResult result(std::uint64_t bytes, double divergence, double agreement) {
  KvResult out;
  out.bytes_per_token = bytes;
  out.qualities = {{512, 0.0, 0.0, 1.0, 9.0, 9.0}, {2048, divergence, 1.0, agreement, 9.0, 9.0}};
  return out;
}

TEST(KvQuality, RecommendsTheSmallestFormatWithinTheBoundsAtEveryDepth) {
  KvResult refused = result(1, 0.0, 1.0);
  refused.refusal = "not stored";
  const std::vector<KvResult> results{result(8, 0.002, 0.99), result(8, 0.001, 0.99),
                                      result(4, 0.02, 0.99), result(4, 0.001, 0.9), refused};
  EXPECT_EQ(recommended_format(results), &results[1]);
  EXPECT_EQ(recommended_format(std::span(results).subspan(2)), nullptr);
}

}  // namespace
}  // namespace vernal

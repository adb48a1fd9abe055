// Requests for an embedding: the hidden states of a prompt as one vector.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::BenchOptions;
using test::EngineBench;
using ::testing::ElementsAre;

BenchOptions pooled(Pooling pooling) {
  BenchOptions options;
  options.pooling = pooling;
  return options;
}

std::vector<float> embedding_of(EngineBench& bench, const std::string& prompt) {
  const auto answer =
      bench.read(bench.submit(R"({"kind": "embed", "prompt": ")" + prompt + R"("})"));
  EXPECT_TRUE(answer.is_finished()) << answer.terminal.text;
  EXPECT_EQ(answer.terminal.completion_tokens, 0U);
  const Event* const event = answer.find(VERNAL_EVENT_EMBEDDING);
  return event == nullptr ? std::vector<float>() : event->embedding;
}

// The scripted model's hidden state is [token id, position].
TEST(Embedding, IsTheLastHiddenState) {
  EngineBench bench(test::predict_letters, pooled(Pooling::kLast));
  EXPECT_THAT(embedding_of(bench, "abc"), ElementsAre('c', 2.0F));
  EXPECT_THAT(embedding_of(bench, "z"), ElementsAre('z', 0.0F));
}

TEST(Embedding, IsTheMeanOfAllHiddenStatesHoweverThePromptIsCut) {
  EngineBench bench(test::predict_letters, pooled(Pooling::kMean));
  EXPECT_THAT(embedding_of(bench, "ace"), ElementsAre('c', 1.0F));
  // Several chunks, and twice, so that the second could have been reused.
  const std::string prompt(301, 'b');
  EXPECT_THAT(embedding_of(bench, prompt), ElementsAre('b', 150.0F));
  EXPECT_THAT(embedding_of(bench, prompt), ElementsAre('b', 150.0F));
}

TEST(Embedding, MayFillTheWholeContext) {
  BenchOptions options = pooled(Pooling::kLast);
  options.context_length = 100;
  EngineBench bench(test::predict_letters, options);
  EXPECT_THAT(embedding_of(bench, std::string(100, 'a')), ElementsAre('a', 99.0F));
  const auto refused = bench.read(
      bench.submit(R"({"kind": "embed", "prompt": ")" + std::string(101, 'a') + R"("})"));
  EXPECT_EQ(refused.terminal.error_code, "context_length_exceeded");
}

TEST(Embedding, RunsBesideAnswers) {
  EngineBench bench(test::predict_letters, pooled(Pooling::kMean));
  const RequestId answer = bench.submit(R"({"prompt": "abc", "max_tokens": 20})");
  EXPECT_THAT(embedding_of(bench, "ace"), ElementsAre('c', 1.0F));
  EXPECT_TRUE(bench.read(answer).is_finished());
}

TEST(Embedding, IsRefusedByAModelWithoutPooling) {
  EngineBench bench;
  const auto answer = bench.read(bench.submit(R"({"kind": "embed", "prompt": "a"})"));
  EXPECT_EQ(answer.terminal.error_code, "unsupported_parameter");
  EXPECT_EQ(answer.terminal.param, "kind");
}

TEST(Histogram, CountsValuesUpToEachBound) {
  constexpr std::array bounds = {1.0, 2.0};
  Histogram histogram{bounds};
  for (const double value : {0.5, 1.0, 1.5, 9.0}) histogram.observe(value);
  EXPECT_EQ(histogram.count(0), 2U);
  EXPECT_EQ(histogram.count(1), 1U);
  EXPECT_EQ(histogram.count(2), 1U);
  EXPECT_EQ(histogram.sum(), 12.0);
}

TEST(Metrics, TellTimesAndLengthsOfFinishedRequests) {
  EngineBench bench(test::predict_letters);
  ASSERT_TRUE(bench.read(bench.submit(R"({"prompt": "abc", "max_tokens": 3})")).is_finished());
  std::map<std::string, double> values;
  bench.engine().visit_metrics([&](const MetricSample& metric) {
    values[std::string(metric.name) + "{" + std::string(metric.labels) + "}"] = metric.value;
    if (metric.name == "vernal_request_prompt_tokens_bucket") {
      EXPECT_EQ(metric.type, VERNAL_METRIC_HISTOGRAM);
    }
  });
  EXPECT_EQ(values["vernal_request_prompt_tokens_sum{model=\"m\"}"], 3);
  EXPECT_EQ(values["vernal_request_prompt_tokens_bucket{model=\"m\",le=\"2\"}"], 0);
  EXPECT_EQ(values["vernal_request_prompt_tokens_bucket{model=\"m\",le=\"5\"}"], 1);
  EXPECT_EQ(values["vernal_request_prompt_tokens_bucket{model=\"m\",le=\"+Inf\"}"], 1);
  EXPECT_EQ(values["vernal_inter_token_latency_seconds_count{model=\"m\"}"], 2);
  EXPECT_EQ(values["vernal_time_to_first_token_seconds_count{model=\"m\"}"], 1);
  EXPECT_EQ(values["vernal_prefix_cache_queries_total{model=\"m\"}"], 3);
  EXPECT_GT(values["vernal_iteration_tokens_count{model=\"m\"}"], 0);
}

}  // namespace
}  // namespace vernal

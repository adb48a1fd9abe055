// The benchmark of speculation measures what it says: guesses come true as often as it wants.
#include "speculation/forced_acceptance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "../engine_bench.hpp"

namespace vernal::test {
namespace {

using speculation::ForcedAcceptance;
using speculation::GuessCounts;

std::vector<float> row_of(const StepModel& steps, std::size_t row) {
  const std::span<const float> logits = steps.logits(row);
  return {logits.begin(), logits.end()};
}

TokenId likeliest(const std::vector<float>& row) {
  return static_cast<TokenId>(std::ranges::max_element(row) - row.begin());
}

/// Steps of a token and four guesses behind it, all rows read.
class ForcedAcceptanceTest : public testing::Test {
 protected:
  static constexpr std::array<TokenId, 5> kTokens = {'a', 'b', 'c', 'd', 'e'};

  /// For each step: for each guess, whether its row makes it the likeliest token.
  std::vector<std::array<bool, 4>> run(double chance, int num_steps) {
    const auto control = std::make_shared<StepModelControl>();
    control->predict = predict_letters;
    control->truncates_anywhere = true;
    ForcedAcceptance steps(std::make_unique<ScriptedStepModel>(control), chance, counts_);
    steps.open();
    const SequenceId sequence = steps.create_sequence().value();
    std::vector<std::array<bool, 4>> out;
    for (int i = 0; i < num_steps; ++i) {
      EXPECT_TRUE(steps.reserve(sequence, kTokens.size()));
      const StepChunk chunk{sequence, 0, kTokens, kTokens.size()};
      steps.begin_step({&chunk, 1});
      EXPECT_TRUE(steps.wait_step(std::chrono::seconds(60)));
      std::array<bool, 4>& found = out.emplace_back();
      for (std::size_t row = 0; row < found.size(); ++row) {
        found[row] = likeliest(row_of(steps, row)) == kTokens[row + 1];
      }
      steps.end_step();
      EXPECT_TRUE(steps.truncate(sequence, 0));
    }
    steps.release_sequence(sequence);
    return out;
  }

  GuessCounts counts_;
};

TEST_F(ForcedAcceptanceTest, LetsGuessesComeTrueAsOftenAsAsked) {
  std::array<int, 4> num_true{};
  for (const std::array<bool, 4>& step : run(0.7, 2000)) {
    for (std::size_t i = 0; i < step.size(); ++i) num_true[i] += step[i] ? 1 : 0;
  }
  for (const int count : num_true) EXPECT_NEAR(count / 2000.0, 0.7, 0.04);
  EXPECT_EQ(counts_.judged, 8000U);
  EXPECT_EQ(counts_.accepted,
            static_cast<std::uint64_t>(num_true[0] + num_true[1] + num_true[2] + num_true[3]));
}

TEST_F(ForcedAcceptanceTest, LetsAllOrNoneComeTrue) {
  for (const std::array<bool, 4>& step : run(1.0, 50)) {
    EXPECT_TRUE(std::ranges::all_of(step, [](bool is_true) { return is_true; }));
  }
  for (const std::array<bool, 4>& step : run(0.0, 50)) {
    EXPECT_TRUE(std::ranges::none_of(step, [](bool is_true) { return is_true; }));
  }
}

TEST_F(ForcedAcceptanceTest, IsTheSameEveryTime) { EXPECT_EQ(run(0.7, 100), run(0.7, 100)); }

TEST_F(ForcedAcceptanceTest, LeavesRowsThatDecideAboutNoGuess) {
  const auto control = std::make_shared<StepModelControl>();
  control->predict = predict_letters;
  ForcedAcceptance steps(std::make_unique<ScriptedStepModel>(control), 0.5, counts_);
  steps.open();
  ScriptedStepModel plain(control);
  plain.open();
  const auto last_row = [](StepModel& model, std::uint32_t num_rows) {
    const SequenceId sequence = model.create_sequence().value();
    EXPECT_TRUE(model.reserve(sequence, kTokens.size()));
    const StepChunk chunk{sequence, 0, kTokens, num_rows};
    model.begin_step({&chunk, 1});
    std::vector<float> row = row_of(model, num_rows - 1);
    model.end_step();
    model.release_sequence(sequence);
    return row;
  };
  // Of a chunk with guesses the last row, of a prompt the only one.
  EXPECT_EQ(last_row(steps, 5), last_row(plain, 5));
  EXPECT_EQ(last_row(steps, 1), last_row(plain, 1));
  EXPECT_EQ(counts_.judged, 0U);
}

TEST(ForcedAcceptanceInTheEngine, CountsWhatTheEngineCounts) {
  GuessCounts counts;
  EngineBench bench;
  const auto control = std::make_shared<StepModelControl>();
  control->predict = control->predict_ahead = predict_letters;
  BenchOptions options;
  options.speculation = {Draft::kMtp, 4};
  options.rows_per_step = options.slots * 5;
  // Every step takes a second by this clock: guesses are always worth it.
  options.step_clock = [seconds = std::make_shared<std::atomic<int>>(0)] {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(++*seconds));
  };
  LoadedModel model = bench.make_model(options);
  model.id = "wrapped";
  model.steps =
      std::make_unique<ForcedAcceptance>(std::make_unique<ScriptedStepModel>(control), 0.5, counts);
  ModelDescription description;
  description.id = model.id;
  bench.engine().declare_model(description, {});
  bench.engine().start_model(std::move(model));
  SubmitArguments arguments;
  arguments.model = "wrapped";
  arguments.document =
      R"({"prompt": "to be or not to be", "max_tokens": 400, "sampling": {"temperature": 0}})";
  const RequestId id = bench.engine().submit(arguments);
  const Answer answer = bench.read(id);
  bench.engine().release(id);
  bench.stop();
  ASSERT_TRUE(answer.is_finished()) << answer.terminal.text;
  EXPECT_GT(counts.judged, 20U);
  EXPECT_EQ(answer.terminal.accepted_tokens, counts.accepted);
  EXPECT_GE(answer.terminal.draft_tokens, counts.judged);
}

}  // namespace
}  // namespace vernal::test

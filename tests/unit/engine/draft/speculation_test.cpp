// Guessed tokens change how many steps an answer takes, and nothing else.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "../engine_bench.hpp"

namespace vernal::test {
namespace {

// Letters that depend on the two tokens before alone, so the text repeats itself sooner or later.
void predict_by_two(std::span<const TokenId> tokens, std::span<float> logits) {
  predict_letters(tokens.last(std::min<std::size_t>(tokens.size(), 2)), logits);
}

// Every step takes a second by this clock, however many tokens it has: guesses are always worth it.
BenchOptions with_guesses(std::uint32_t max_tokens = 8) {
  BenchOptions options;
  options.step_clock = [seconds = std::make_shared<std::atomic<int>>(0)] {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(++*seconds));
  };
  options.speculation = {Draft::kNgram, max_tokens};
  options.rows_per_step = options.slots * (1 + max_tokens);
  return options;
}

// The model's own layer guesses, and is wrong of about three tokens in ten.
BenchOptions with_predictions(std::uint32_t max_tokens = 4) {
  BenchOptions options = with_guesses(max_tokens);
  options.speculation.draft = Draft::kMtp;
  return options;
}

void predict_ahead(std::span<const TokenId> tokens, std::span<float> logits) {
  predict_by_two(tokens, logits);
  const bool is_wrong = (tokens.size() * 7 + static_cast<std::size_t>(tokens.back())) % 10 < 3;
  if (is_wrong) logits['!'] = 1000.0F;
}

struct Outcome {
  std::vector<Answer> answers;
  std::uint64_t num_steps = 0;
};

std::shared_ptr<StepModelControl> control_with_layer() {
  auto control = std::make_shared<StepModelControl>();
  control->predict_ahead = predict_ahead;
  return control;
}

// All documents at the same time.
Outcome run_all(const BenchOptions& options, const std::vector<std::string>& documents,
                std::shared_ptr<StepModelControl> control = nullptr) {
  EngineBench bench(predict_by_two, options, std::move(control));
  std::vector<RequestId> ids;
  for (const std::string& document : documents) ids.push_back(bench.submit(document));
  Outcome run;
  for (const RequestId id : ids) run.answers.push_back(bench.read(id));
  run.num_steps = bench.control().num_steps;
  return run;
}

void expect_same(const Outcome& plain, const Outcome& guessed) {
  ASSERT_EQ(plain.answers.size(), guessed.answers.size());
  for (std::size_t i = 0; i < plain.answers.size(); ++i) {
    const Answer& a = plain.answers[i];
    const Answer& b = guessed.answers[i];
    EXPECT_TRUE(a.is_finished() && b.is_finished()) << i << ": " << b.terminal.text;
    EXPECT_EQ(a.texts, b.texts) << i;
    EXPECT_EQ(a.tokens, b.tokens) << i;
    EXPECT_EQ(a.reasons, b.reasons) << i;
    EXPECT_EQ(a.stops, b.stops) << i;
    EXPECT_EQ(a.terminal.completion_tokens, b.terminal.completion_tokens) << i;
    for (std::size_t choice = 0; choice < a.logprobs.size(); ++choice) {
      ASSERT_EQ(a.logprobs[choice].size(), b.logprobs[choice].size());
      for (std::size_t j = 0; j < a.logprobs[choice].size(); ++j) {
        EXPECT_EQ(a.logprobs[choice][j].chosen.logprob, b.logprobs[choice][j].chosen.logprob);
      }
    }
  }
}

std::string document(const std::string& members) {
  return R"({"prompt": "to be or not to be", "max_tokens": 150, )" + members + "}";
}

TEST(Speculation, GivesTheSameAnswersInFewerSteps) {
  const std::vector<std::string> greedy = {document(R"("sampling": {"temperature": 0})")};
  const Outcome plain = run_all({}, greedy);
  const Outcome guessed = run_all(with_guesses(), greedy);
  expect_same(plain, guessed);
  EXPECT_LT(guessed.num_steps * 2, plain.num_steps);
}

TEST(Speculation, ChangesNoDrawAtAnyTemperature) {
  std::vector<std::string> documents;
  for (int seed = 0; seed < 12; ++seed) {
    documents.push_back(document(
        fmt::format(R"("seed": {}, "logprobs": 2, "sampling": {{"temperature": {}, "top_p": 0.9}})",
                    seed, 0.1 * seed)));
  }
  expect_same(run_all({}, documents), run_all(with_guesses(), documents));
}

TEST(Speculation, StopsWhereTheAnswerStops) {
  const std::string answer =
      run_all({}, {document(R"("sampling": {"temperature": 0})")}).answers[0].texts[0];
  std::vector<std::string> documents;
  for (std::size_t at = 60; at < 70; ++at) {
    documents.push_back(document(
        fmt::format(R"("stop": ["{}"], "sampling": {{"temperature": 0}})", answer.substr(at, 5))));
    documents.push_back(fmt::format(
        R"({{"prompt": "to be or not to be", "max_tokens": {}, "sampling": {{"temperature": 0}}}})",
        at));
  }
  expect_same(run_all({}, documents), run_all(with_guesses(), documents));
}

TEST(Speculation, KeepsPenaltiesMirostatAndChoicesAsTheyAre) {
  const std::vector<std::string> documents = {
      document(R"("sampling": {"temperature": 0, "repetition_penalty": 1.2})"),
      document(R"("seed": 3, "sampling": {"temperature": 0.5, "mirostat": 2})"),
      document(R"("seed": 4, "n": 3, "sampling": {"temperature": 0.3})"),
      document(R"("seed": 5, "sampling": {"temperature": 0, "dry_multiplier": 0.8})"),
      document(R"("bad_words": ["e"], "sampling": {"temperature": 0})"),
      document(
          R"("echo": true, "logprobs": 1, "prompt_logprobs": 1, "sampling": {"temperature": 0})")};
  expect_same(run_all({}, documents), run_all(with_guesses(), documents));
}

TEST(Speculation, TakesTurnsWithOthersInAPoolThatIsTooSmall) {
  std::vector<std::string> documents;
  for (int i = 0; i < 6; ++i) {
    documents.push_back(
        document(fmt::format(R"("seed": {}, "sampling": {{"temperature": 0.2}})", i)));
  }
  const auto small = std::make_shared<StepModelControl>();
  small->capacity_tokens = 420;
  expect_same(run_all({}, documents), run_all(with_guesses(), documents, small));
}

TEST(Speculation, NeedsARollbackWindowWhereAStateCannotBeCut) {
  const std::vector<std::string> greedy = {document(R"("sampling": {"temperature": 0})")};
  const Outcome plain = run_all({}, greedy);
  BenchOptions options = with_guesses();
  options.max_checkpoints = 4;
  const auto hybrid = std::make_shared<StepModelControl>();
  hybrid->truncates_anywhere = false;
  hybrid->rollback_depth = 8;
  const Outcome guessed = run_all(options, greedy, hybrid);
  expect_same(plain, guessed);
  EXPECT_LT(guessed.num_steps * 2, plain.num_steps);
}

TEST(Speculation, ComputesAnewWhatAModelCannotTakeBack) {
  const std::vector<std::string> documents = {
      document(R"("seed": 1, "sampling": {"temperature": 1})")};
  const auto cannot = std::make_shared<StepModelControl>();
  cannot->truncates_anywhere = false;
  expect_same(run_all({}, documents), run_all(with_guesses(), documents, cannot));
}

TEST(Speculation, IsTheRequestsToForbid) {
  const std::vector<std::string> documents = {
      document(R"("max_draft_tokens": 0, "sampling": {"temperature": 0})")};
  const Outcome plain = run_all({}, documents);
  const Outcome guessed = run_all(with_guesses(), documents);
  EXPECT_EQ(plain.num_steps, guessed.num_steps);
}

TEST(Speculation, LeavesTheConversationForItsNextTurn) {
  EngineBench bench(predict_by_two, with_guesses());
  const Answer first = bench.run(document(R"("sampling": {"temperature": 0})"));
  const std::string next = "to be or not to be" + first.texts[0] + " and more";
  const Answer second = bench.run(fmt::format(
      R"({{"prompt": "{}", "max_tokens": 20, "sampling": {{"temperature": 0}}}})", next));
  EXPECT_GE(second.terminal.cached_tokens, 128U);
  EngineBench fresh(predict_by_two);
  EXPECT_EQ(
      second.texts,
      fresh
          .run(fmt::format(
              R"({{"prompt": "{}", "max_tokens": 20, "sampling": {{"temperature": 0}}}})", next))
          .texts);
}

TEST(Prediction, GivesTheSameAnswersInFewerSteps) {
  const std::vector<std::string> greedy = {document(R"("sampling": {"temperature": 0})")};
  const Outcome plain = run_all({}, greedy);
  EngineBench bench(predict_by_two, with_predictions(), control_with_layer());
  Outcome guessed;
  guessed.answers.push_back(bench.run(greedy[0]));
  expect_same(plain, guessed);
  EXPECT_LT(bench.control().num_steps * 3, plain.num_steps * 2);
  EXPECT_EQ(bench.control().num_missing_hidden, 0U) << "every entry has its hidden state";
  EXPECT_GT(guessed.answers[0].terminal.accepted_tokens, 50U);
  EXPECT_LT(guessed.answers[0].terminal.accepted_tokens, guessed.answers[0].terminal.draft_tokens);
}

TEST(Prediction, ChangesNoAnswer) {
  std::vector<std::string> documents;
  for (int seed = 0; seed < 6; ++seed) {
    documents.push_back(document(fmt::format(
        R"("seed": {}, "logprobs": 1, "sampling": {{"temperature": {}}})", seed, 0.2 * seed)));
  }
  documents.push_back(document(R"("seed": 4, "n": 3, "sampling": {"temperature": 0.3})"));
  documents.push_back(document(R"("stop": ["a"], "sampling": {"temperature": 0})"));
  documents.push_back(document(R"("bad_words": ["e"], "sampling": {"temperature": 0})"));
  documents.push_back(document(R"("max_draft_tokens": 0, "sampling": {"temperature": 0})"));
  documents.push_back(document(R"("max_tokens": 1, "sampling": {"temperature": 0})"));
  const Outcome plain = run_all({}, documents);
  expect_same(plain, run_all(with_predictions(), documents, control_with_layer()));
  const auto small = control_with_layer();
  small->capacity_tokens = 520;
  expect_same(plain, run_all(with_predictions(), documents, small));
  const auto hybrid = control_with_layer();
  hybrid->truncates_anywhere = false;
  hybrid->rollback_depth = 4;
  BenchOptions options = with_predictions();
  options.max_checkpoints = 4;
  expect_same(plain, run_all(options, documents, hybrid));
}

TEST(Prediction, GoesOnInTheNextTurnOfAConversation) {
  EngineBench bench(predict_by_two, with_predictions(), control_with_layer());
  const Answer first = bench.run(document(R"("sampling": {"temperature": 0})"));
  const std::string next = "to be or not to be" + first.texts[0] + " and more";
  const Answer second = bench.run(fmt::format(
      R"({{"prompt": "{}", "max_tokens": 60, "sampling": {{"temperature": 0}}}})", next));
  EXPECT_GE(second.terminal.cached_tokens, 128U);
  EXPECT_GT(second.terminal.accepted_tokens, 10U);
  EXPECT_LE(bench.control().num_missing_hidden, 64U);
}

// A step of two tokens takes three times as long as one of one: no guess pays.
BenchOptions with_dear_guesses(const std::shared_ptr<StepModelControl>& control) {
  BenchOptions options = with_predictions();
  options.step_clock = [control] {
    const std::uint64_t steps = control->num_steps;
    const std::uint64_t seconds = steps + 2 * (control->num_tokens - steps);
    return std::chrono::steady_clock::time_point(std::chrono::seconds(seconds));
  };
  return options;
}

TEST(Prediction, LeavesTheLayerAloneWhereGuessesDoNotPay) {
  const std::vector<std::string> greedy = {
      R"({"prompt": "to be or not to be", "max_tokens": 300, "sampling": {"temperature": 0}})"};
  const Outcome plain = run_all({}, greedy);
  const auto control = control_with_layer();
  const Outcome guessed = run_all(with_dear_guesses(control), greedy, control);
  expect_same(plain, guessed);
  EXPECT_GT(guessed.num_steps, 250U);
  EXPECT_LT(control->num_ahead_steps * 8, guessed.num_steps) << "a few tries and waiting entries";
  EXPECT_EQ(control->num_missing_hidden, 0U) << "entries wait with their hidden states";
}

TEST(Prediction, MakesWaitingEntriesWhenGuessesAreWantedAgain) {
  const auto control = control_with_layer();
  EngineBench bench(predict_by_two, with_predictions(), control);
  const std::string quiet = document(R"("max_draft_tokens": 0, "sampling": {"temperature": 0})");
  const Answer first = bench.run(quiet);
  EXPECT_EQ(first.terminal.draft_tokens, 0U);
  EXPECT_LT(control->num_ahead_steps * 8, control->num_steps);
  const std::string next = "to be or not to be" + first.texts[0] + " and more";
  const Answer second = bench.run(fmt::format(
      R"({{"prompt": "{}", "max_tokens": 60, "sampling": {{"temperature": 0}}}})", next));
  EXPECT_GT(second.terminal.accepted_tokens, 10U);
  EXPECT_LE(control->num_missing_hidden, 64U);
}

TEST(Prediction, GuessesWronglyWhereTheLayerGivesNoNumbers) {
  const std::vector<std::string> greedy = {document(R"("sampling": {"temperature": 0})")};
  const auto control = control_with_layer();
  control->predict_ahead = [](std::span<const TokenId>, std::span<float> logits) {
    std::fill(logits.begin(), logits.end(), std::numeric_limits<float>::quiet_NaN());
  };
  const Outcome guessed = run_all(with_predictions(), greedy, control);
  expect_same(run_all({}, greedy), guessed);
  EXPECT_GT(guessed.answers[0].terminal.draft_tokens, 0U);
}

TEST(Prediction, EndsTheRequestsOfAStepThatFails) {
  EngineBench bench(predict_by_two, with_predictions(), control_with_layer());
  bench.control().fail_ahead = 3;
  const Answer broken = bench.run(document(R"("sampling": {"temperature": 0})"));
  EXPECT_FALSE(broken.is_finished());
  EXPECT_EQ(broken.terminal.text, "the layer is broken");
  EXPECT_TRUE(bench.run(document(R"("sampling": {"temperature": 0})")).is_finished());
}

}  // namespace
}  // namespace vernal::test

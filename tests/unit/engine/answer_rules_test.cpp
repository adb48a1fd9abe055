// What a request says of its answer beside sampling: which tokens and texts must not come, how long it
// is at least, and what is told of the prompt.
#include <fmt/format.h>

#include <cmath>

#include "engine_bench.hpp"

namespace vernal {
namespace {

using test::answers;
using test::BenchOptions;
using test::byte_tokens;
using test::EngineBench;
using test::kByteVocabularySize;
using test::kEndToken;
using test::predict_letters;

using Answer = test::Answer;

// Says the answer, and where that is ruled out 'x'.
test::Predict says(const std::string& prompt, const std::string& answer) {
  return [says = answers({{prompt, answer}})](std::span<const TokenId> tokens,
                                              std::span<float> logits) {
    says(tokens, logits);
    logits['x'] = std::max(logits['x'], 10.0F);
  };
}

std::string greedy(std::string_view prompt, std::string_view members) {
  return fmt::format(R"({{"prompt": "{}", "sampling": {{"temperature": 0}}{}{}}})", prompt,
                     members.empty() ? "" : ", ", members);
}

TEST(AnswerRules, AnAnswerHasAtLeastMinTokens) {
  EngineBench bench(says("q", "ab"));
  EXPECT_EQ(bench.run(greedy("q", "")).texts[0], "ab");
  const Answer longer = bench.run(greedy("q", R"("min_tokens": 5)"));
  EXPECT_EQ(longer.texts[0], "abxxx");
  EXPECT_EQ(longer.reasons[0], VERNAL_FINISH_STOP);
  const Answer endless = bench.run(greedy("q", R"("ignore_eos": true, "max_tokens": 9)"));
  EXPECT_EQ(endless.texts[0], "abxxxxxxx");
  EXPECT_EQ(endless.reasons[0], VERNAL_FINISH_LENGTH);
}

TEST(AnswerRules, TheTokenThatWouldCompleteABadWordDoesNotCome) {
  EngineBench bench(says("q", "the cat sat"));
  EXPECT_EQ(bench.run(greedy("q", R"("bad_words": ["cat"])")).texts[0], "the cax sat");
  EXPECT_EQ(bench.run(greedy("q", R"("bad_words": ["Cat", "t s"])")).texts[0], "the cat xat");
  EXPECT_EQ(bench.run(greedy("q", R"("bad_words": ["a"])")).texts[0], "the cxt sxt");
}

TEST(AnswerRules, ABannedStringIsTakenBackToItsBegin) {
  EngineBench bench(says("q", "the cat sat"));
  const Answer answer = bench.run(greedy("q", R"("banned_strings": ["CAT"])"));
  EXPECT_EQ(answer.texts[0], "the xat sat");
  EXPECT_EQ(answer.tokens[0], byte_tokens("the xat sat"));
  EXPECT_EQ(answer.terminal.completion_tokens, 12U);  // with the end
  EXPECT_EQ(bench.run(greedy("q", R"("banned_strings": ["the cat", "sat"])")).texts[0],
            "xhe cat xat");
}

TEST(AnswerRules, AnAnswerMayEndWithinWhatMightHaveBeenBanned) {
  EngineBench bench(says("q", "the ca"));
  EXPECT_EQ(bench.run(greedy("q", R"("banned_strings": ["cat"])")).texts[0], "the ca");
  const Answer cut = bench.run(greedy("q", R"("banned_strings": ["e cat"], "max_tokens": 5)"));
  EXPECT_EQ(cut.texts[0], "the c");
  EXPECT_EQ(cut.reasons[0], VERNAL_FINISH_LENGTH);
  const Answer stopped =
      bench.run(greedy("q", R"("banned_strings": ["e cat"], "stop": ["e"], "max_tokens": 5)"));
  EXPECT_EQ(stopped.texts[0], "th");
  EXPECT_EQ(stopped.reasons[0], VERNAL_FINISH_STOP_STRING);
}

TEST(AnswerRules, AStateThatCannotBeCutLosesTheLastTokenOnly) {
  auto control = std::make_shared<test::StepModelControl>();
  control->truncates_anywhere = false;
  EngineBench bench(says("q", "the cat sat"), {}, control);
  EXPECT_EQ(bench.run(greedy("q", R"("banned_strings": ["cat"])")).texts[0], "the cax sat");
}

// Random letters under many bans: none comes, whatever the model can do and whatever else runs.
TEST(AnswerRules, NoBannedTextEverComes) {
  const std::string request =
      R"({"prompt": "start", "max_tokens": 150, "seed": 5, "n": 3, "bad_words": ["qu", "zz", "e"],
          "banned_strings": ["ab", "abc", "BCD", "th", "xyz", "ss", "mn", "no", "op"]})";
  for (const bool truncates : {true, false}) {
    auto control = std::make_shared<test::StepModelControl>();
    control->truncates_anywhere = truncates;
    EngineBench bench(predict_letters, {}, control);
    const Answer alone = bench.run(request);
    for (std::uint32_t choice = 0; choice < 3; ++choice) {
      EXPECT_EQ(alone.texts[choice].size(), 150U);
      EXPECT_EQ(alone.tokens[choice], byte_tokens(alone.texts[choice]));
      for (const char* banned :
           {"qu", "zz", "e", "ab", "bcd", "th", "xyz", "ss", "mn", "no", "op"}) {
        EXPECT_EQ(alone.texts[choice].find(banned), std::string::npos) << banned;
      }
    }
    EXPECT_EQ(alone.terminal.completion_tokens, 450U);
    const RequestId beside = bench.submit(R"({"prompt": "other", "max_tokens": 400, "seed": 1})");
    EXPECT_EQ(bench.run(request).texts, alone.texts);
    bench.engine().release(beside);
  }
}

// ---- the prompt ---------------------------------------------------------------------------------

double logprob_of(const std::string& before, char next) {
  std::vector<float> logits(kByteVocabularySize);
  predict_letters(byte_tokens(before), logits);
  double total = 0.0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  return static_cast<double>(logits[static_cast<unsigned char>(next)]) - std::log(total);
}

// What the PROMPT events of an answer say together.
struct Told {
  std::string text;
  std::vector<TokenId> tokens;
  std::vector<TokenLogprob> logprobs;
};

Told told_of(const Answer& answer) {
  Told told;
  for (const Event& event : answer.events) {
    if (event.type != VERNAL_EVENT_PROMPT) continue;
    told.text += event.text;
    told.tokens.insert(told.tokens.end(), event.tokens.begin(), event.tokens.end());
    told.logprobs.insert(told.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
  }
  return told;
}

void expect_scores(const Answer& answer, const std::string& prompt) {
  const Told told = told_of(answer);
  EXPECT_EQ(told.text, prompt);
  EXPECT_EQ(told.tokens, byte_tokens(prompt));
  ASSERT_EQ(told.logprobs.size(), prompt.size());
  EXPECT_TRUE(std::isnan(told.logprobs[0].chosen.logprob));
  for (std::size_t i = 1; i < prompt.size(); ++i) {
    EXPECT_NEAR(told.logprobs[i].chosen.logprob, logprob_of(prompt.substr(0, i), prompt[i]), 1e-5)
        << i;
    ASSERT_EQ(told.logprobs[i].alternatives.size(), 2U);
    EXPECT_GE(told.logprobs[i].alternatives[0].logprob, told.logprobs[i].alternatives[1].logprob);
  }
}

TEST(PromptLogprobs, AreThoseOfTheModelWhateverTheStepsAre) {
  std::string prompt;
  for (int i = 0; i < 333; ++i) prompt.push_back(static_cast<char>('a' + i * i % 26));
  const std::string request = fmt::format(
      R"({{"prompt": "{}", "prompt_logprobs": 2, "logprobs": 2, "max_tokens": 1, "seed": 1}})",
      prompt);
  for (const std::uint32_t rows : {0U, 4U, 5U, 20U, 600U}) {
    BenchOptions options;
    options.rows_per_step = rows;
    auto control = std::make_shared<test::StepModelControl>();
    control->max_rows = std::max(rows, options.slots);
    EngineBench bench(predict_letters, options, control);
    expect_scores(bench.run(request), prompt);
    expect_scores(bench.run(request), prompt);      // now a sequence with the prompt is there
    const RequestId first = bench.submit(request);  // two that score, beside one that decodes
    const RequestId second = bench.submit(request);
    const RequestId beside = bench.submit(R"({"prompt": "abc", "max_tokens": 300})");
    expect_scores(bench.read(first), prompt);
    expect_scores(bench.read(second), prompt);
    for (const RequestId id : {first, second, beside}) bench.engine().release(id);
  }
}

TEST(PromptLogprobs, AreComputedWhereStatesCannotBeCut) {
  BenchOptions options;
  options.max_checkpoints = 4;
  auto control = std::make_shared<test::StepModelControl>();
  control->truncates_anywhere = false;
  EngineBench bench(predict_letters, options, control);
  const std::string prompt(150, 'k');
  const std::string request =
      fmt::format(R"({{"prompt": "{}", "prompt_logprobs": 2, "max_tokens": 1}})", prompt);
  expect_scores(bench.run(request), prompt);
  expect_scores(bench.run(request), prompt);
}

TEST(PromptLogprobs, NeedNoAnswer) {
  EngineBench bench;
  const Answer answer =
      bench.run(R"({"prompt": "hello", "prompt_logprobs": 2, "max_tokens": 0, "n": 2})");
  expect_scores(answer, "hello");
  EXPECT_TRUE(answer.is_finished());
  EXPECT_EQ(answer.texts[0], "");
  EXPECT_EQ(answer.reasons[1], VERNAL_FINISH_LENGTH);
  EXPECT_EQ(answer.terminal.completion_tokens, 0U);
  expect_scores(bench.run(R"({"prompt": "x", "prompt_logprobs": 2, "max_tokens": 1})"), "x");
}

// Harnesses take the last position away, so there has to be one for a token that ends the answer.
TEST(PromptLogprobs, HaveAPositionForTheEndOfTheAnswer) {
  EngineBench bench(answers({{"q", ""}}));
  const Answer answer =
      bench.run(greedy("q", R"("prompt_logprobs": 0, "logprobs": 0, "max_tokens": 1)"));
  ASSERT_EQ(answer.logprobs[0].size(), 1U);
  EXPECT_EQ(answer.logprobs[0][0].chosen.token, kEndToken);
  EXPECT_EQ(answer.texts[0], "");
  EXPECT_TRUE(bench.run(greedy("q", R"("logprobs": 0, "max_tokens": 1)")).logprobs[0].empty());
}

TEST(Echo, TellsThePromptOnce) {
  EngineBench bench;
  const Answer answer = bench.run(R"({"prompt": "héllo", "echo": true, "max_tokens": 2})");
  const Told told = told_of(answer);
  EXPECT_EQ(told.text, "héllo");
  EXPECT_EQ(told.tokens, byte_tokens("héllo"));
  EXPECT_TRUE(told.logprobs.empty());
  EXPECT_EQ(told_of(bench.run(R"({"prompt": "x", "max_tokens": 2})")).text, "");
}

TEST(Timings, AreToldWithEveryDelta) {
  EngineBench bench;
  const Answer answer = bench.run(R"({"prompt": "hello", "max_tokens": 6, "seed": 2})");
  std::uint64_t last = 0;
  for (const Event& event : answer.events) {
    if (event.type != VERNAL_EVENT_DELTA) continue;
    EXPECT_EQ(event.prompt_tokens, 5U);
    EXPECT_GT(event.completion_tokens, last);
    last = event.completion_tokens;
  }
  EXPECT_EQ(last, 6U);
}

TEST(Continuation, GoesOnFromTheLastMessage) {
  BenchOptions options;
  options.chat_template =
      "{% for m in messages %}[{{ m.role }}:{{ m.content }}]{% endfor %}"
      "{% if add_generation_prompt %}[assistant:{% endif %}";
  EngineBench bench(answers({{"[user:q][assistant:The <|end|", "answer"}}), options);
  const std::string messages =
      R"("messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "The <|end|"}])";
  EXPECT_EQ(bench.run("{" + messages + R"(, "continue_final_message": true})").texts[0], "answer");
  EXPECT_EQ(bench.run("{" + messages + "}").texts[0], "");
  for (const char* wrong :
       {R"({"messages": [{"role": "user", "content": "q"}], "continue_final_message": true})",
        R"({"messages": [{"role": "assistant", "content": "q"}], "continue_final_message": true})",
        R"({"prompt": "q", "continue_final_message": true})"}) {
    EXPECT_EQ(bench.run(wrong).terminal.param, "continue_final_message") << wrong;
  }
}

}  // namespace
}  // namespace vernal

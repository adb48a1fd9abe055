// What clients get from the engine: answers, limits, reproducibility.
#include "engine/engine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/byte_tokenizer.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::answers;
using test::BenchOptions;
using test::EngineBench;

std::vector<std::uint32_t> types_of(const Answer& answer) {
  std::vector<std::uint32_t> types;
  for (const Event& event : answer.events) {
    if (types.empty() || types.back() != event.type) types.push_back(event.type);
  }
  return types;
}

TEST(Engine, AnswersWithTheEventsInOrder) {
  EngineBench bench(answers({{"hi>", "hello"}}));
  const Answer answer = bench.run(R"({"prompt": "hi>", "sampling": {"temperature": 0}})");
  EXPECT_EQ(types_of(answer), (std::vector<std::uint32_t>{
                                  VERNAL_EVENT_ACCEPTED, VERNAL_EVENT_STARTED, VERNAL_EVENT_DELTA,
                                  VERNAL_EVENT_CHOICE_FINISHED, VERNAL_EVENT_FINISHED}));
  EXPECT_EQ(answer.texts[0], "hello");
  EXPECT_EQ(answer.tokens[0], test::byte_tokens("hello"));
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP);
  EXPECT_EQ(answer.events.front().prompt_tokens, 3U);
  EXPECT_EQ(answer.events.front().context_length, 2000U);
  EXPECT_EQ(answer.terminal.prompt_tokens, 3U);
  EXPECT_EQ(answer.terminal.completion_tokens, 6U);  // with the token that ends it
  EXPECT_EQ(answer.terminal.cached_tokens, 0U);
}

TEST(Engine, RendersMessages) {
  BenchOptions options;
  options.chat_template = "{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}";
  EngineBench bench(answers({{"user:hi|", "hello"}}), options);
  const Answer answer = bench.run(
      R"({"messages": [{"role": "user", "content": "hi"}], "sampling": {"temperature": 0}})");
  EXPECT_EQ(answer.texts[0], "hello");
}

TEST(Engine, SaysOnAcceptedWhatWasNotDoneAsAsked) {
  BenchOptions options;
  options.chat_template = "{% for m in messages %}{{ m.content }}|{% endfor %}";
  EngineBench bench(test::predict_letters, options);
  const std::string messages = R"("messages": [{"role": "user", "content": "hi"}])";
  const Answer told = bench.run("{" + messages + R"(, "tools": [{"name": "f"}],
      "max_tokens": 5000, "stop": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]})");
  const std::string text = told.find(VERNAL_EVENT_ACCEPTED)->text;
  EXPECT_NE(text.find("preamble before the first message"), std::string::npos) << text;
  EXPECT_NE(text.find("\nThe output budget of 5000 tokens was cut to"), std::string::npos) << text;
  const Answer plain = bench.run("{" + messages + R"(, "max_tokens": 1})");
  EXPECT_EQ(plain.find(VERNAL_EVENT_ACCEPTED)->text, "");
}

TEST(Engine, TakesTokenIdsAsAPrompt) {
  EngineBench bench(answers({{"hi>", "hello"}}));
  const std::vector<TokenId> tokens = test::byte_tokens("hi>");
  SubmitArguments arguments{"m", R"({"sampling": {"temperature": 0}})", tokens, true, {}};
  const RequestId id = bench.engine().submit(arguments);
  EXPECT_EQ(bench.read(id).texts[0], "hello");
  const std::vector<TokenId> unknown = {5, 100'000};
  arguments.tokens = unknown;
  const Answer refused = bench.read(bench.engine().submit(arguments));
  EXPECT_EQ(refused.terminal.error_code, "invalid_value");
  arguments.tokens = {};
  EXPECT_EQ(bench.read(bench.engine().submit(arguments)).terminal.http_hint, 400U);
}

TEST(Engine, ReportsProgressOfALongPrompt) {
  EngineBench bench(answers({{std::string(500, 'x'), "ok"}}));
  const Answer answer = bench.run(fmt::format(R"({{"prompt": "{}"}})", std::string(500, 'x')));
  const Event* progress = answer.find(VERNAL_EVENT_PROGRESS);
  ASSERT_NE(progress, nullptr);
  EXPECT_EQ(progress->total, 500U);
  EXPECT_EQ(progress->done % 128, 0U);
  EXPECT_EQ(answer.texts[0], "ok");
  EXPECT_EQ(bench.metric("vernal_prompt_tokens_total"), 500.0);
}

TEST(Engine, TellsHowManyProductsADeviceHasComputed) {
  auto control = std::make_shared<test::StepModelControl>();
  control->streamed_products = 7;
  EngineBench bench(test::predict_letters, {}, control);
  bench.run(R"({"prompt": "hi", "max_tokens": 3})");
  EXPECT_EQ(bench.metric("vernal_streamed_products_total"), 7.0);
}

TEST(Engine, StopsAtAStopStringAcrossTokens) {
  EngineBench bench(answers({{"p", "one STOP two"}}));
  const Answer answer =
      bench.run(R"({"prompt": "p", "stop": ["TOP", "never"], "sampling": {"temperature": 0}})");
  EXPECT_EQ(answer.texts[0], "one S");
  EXPECT_EQ(answer.tokens[0], test::byte_tokens("one S"));
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP_STRING);
  EXPECT_EQ(answer.stops[0], "TOP");
  EXPECT_EQ(answer.terminal.completion_tokens, 8U);
}

TEST(Engine, DeliversWhatOnlyLookedLikeAStopString) {
  EngineBench bench(answers({{"p", "ab STO"}}));
  const Answer answer =
      bench.run(R"({"prompt": "p", "stop": ["STOP"], "sampling": {"temperature": 0}})");
  EXPECT_EQ(answer.texts[0], "ab STO");
  EXPECT_EQ(answer.tokens[0], test::byte_tokens("ab STO"));
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP);
}

TEST(Engine, DeliversWholeCharactersOnly) {
  EngineBench bench(answers({{"p", "h\xC3\xA9 \xF0\x9F\x98\x80!"}}));
  const Answer answer = bench.run(R"({"prompt": "p", "sampling": {"temperature": 0}})");
  EXPECT_EQ(answer.texts[0], "h\xC3\xA9 \xF0\x9F\x98\x80!");
  for (const Event& event : answer.events) {
    if (event.type == VERNAL_EVENT_DELTA && !event.text.empty()) {
      EXPECT_NE(static_cast<unsigned char>(event.text[0]) & 0xC0U, 0x80U) << "cut character";
    }
  }
  EXPECT_EQ(answer.tokens[0], test::byte_tokens("h\xC3\xA9 \xF0\x9F\x98\x80!"));
}

TEST(Engine, CutsTheBudgetAndNeverRefusesIt) {
  BenchOptions options;
  options.context_length = 100;
  EngineBench bench(test::predict_letters, options);
  const Answer answer = bench.run(R"({"prompt": "0123456789", "max_tokens": 65536})");
  EXPECT_EQ(answer.texts[0].size(), 90U);
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_LENGTH);
  EXPECT_NE(answer.events.front().text.find("65536"), std::string::npos);
  EXPECT_EQ(bench.run(R"({"prompt": "0123456789", "max_tokens": 7})").texts[0].size(), 7U);
}

TEST(Engine, RefusesPromptsThatDoNotFitWithTheWordingClientsKnow) {
  BenchOptions options;
  options.context_length = 10;
  EngineBench bench(test::predict_letters, options);
  const Answer answer = bench.run(R"({"prompt": "0123456789"})");
  ASSERT_EQ(answer.events.size(), 1U);
  EXPECT_EQ(answer.terminal.code, VERNAL_CONTEXT_OVERFLOW);
  EXPECT_EQ(answer.terminal.error_code, "context_length_exceeded");
  EXPECT_EQ(answer.terminal.http_hint, 400U);
  EXPECT_EQ(answer.terminal.context_length, 10U);
  EXPECT_EQ(answer.terminal.text,
            "This model's maximum context length is 10 tokens. However, your prompt resulted in "
            "10 tokens. Please reduce the length of the prompt.");
  EXPECT_EQ(answer.terminal.param, "prompt");
  EXPECT_EQ(bench.run(R"({"prompt": "012345678"})").texts[0].size(), 1U);
}

TEST(Engine, MakesSeveralChoicesFromOnePrompt) {
  for (const bool truncates : {true, false}) {
    for (const std::uint32_t slots : {1U, 2U, 8U}) {
      auto control = std::make_shared<test::StepModelControl>();
      control->truncates_anywhere = truncates;
      BenchOptions options;
      options.slots = slots;
      EngineBench bench(test::predict_letters, options, control);
      const std::string document = fmt::format(
          R"({{"prompt": "{}", "n": 5, "seed": 7, "max_tokens": 20}})", std::string(200, 'q'));
      const Answer answer = bench.run(document);
      ASSERT_TRUE(answer.is_finished());
      EXPECT_EQ(answer.terminal.completion_tokens, 100U);
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(answer.texts[i].size(), 20U);
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(answer.texts[i], answer.texts[j]);
      }
      EngineBench alone(test::predict_letters, {});
      EXPECT_EQ(alone.run(document).texts, answer.texts) << "slots " << slots;
      // Of those that sit together, one computes the prompt and the others are its copies.
      EXPECT_EQ(control->num_forks, slots == 1 ? 0U : slots == 2 ? 2U : 4U) << "slots " << slots;
    }
  }
}

TEST(Engine, GivesTheSameAnswerForASeedWhateverElseRuns) {
  const std::string document = R"({"prompt": "tell me", "seed": 123, "max_tokens": 60,
    "sampling": {"temperature": 0.9, "top_p": 0.95, "frequency_penalty": 0.3}})";
  EngineBench alone;
  const std::string expected = alone.run(document).texts[0];
  EXPECT_EQ(alone.run(document).texts[0], expected);
  EngineBench busy;
  std::vector<RequestId> others;
  for (int i = 0; i < 6; ++i) {
    others.push_back(
        busy.submit(fmt::format(R"({{"prompt": "{}", "max_tokens": 50, "n": 2}})",
                                std::string(10 + 60 * static_cast<std::size_t>(i), 'z'))));
  }
  const RequestId watched = busy.submit(document);
  EXPECT_EQ(busy.read(watched).texts[0], expected);
  for (const RequestId id : others) EXPECT_TRUE(busy.read(id).is_finished());
  const std::string other_seed = R"({"prompt": "tell me", "seed": 124, "max_tokens": 60})";
  EXPECT_NE(alone.run(other_seed).texts[0], expected);
  EXPECT_NE(alone.run(R"({"prompt": "x", "max_tokens": 40})").texts[0],
            alone.run(R"({"prompt": "x", "max_tokens": 40})").texts[0]);
}

TEST(Engine, ReportsLogprobsForEveryToken) {
  EngineBench bench(answers({{"p", "h\xC3\xA9y"}}));
  const Answer answer =
      bench.run(R"({"prompt": "p", "logprobs": 3, "sampling": {"temperature": 0}})");
  const auto& logprobs = answer.logprobs[0];
  ASSERT_EQ(logprobs.size(), 4U);
  EXPECT_EQ(logprobs[0].chosen.bytes, "h");
  EXPECT_EQ(logprobs[1].chosen.bytes, "\xC3");
  EXPECT_EQ(logprobs[0].alternatives.size(), 3U);
  EXPECT_EQ(logprobs[0].alternatives[0].token, 'h');
  EXPECT_NEAR(logprobs[0].chosen.logprob, 0.0, 1e-5);
  EXPECT_NEAR(logprobs[0].alternatives[1].logprob, -25.0, 1e-3);
  EXPECT_TRUE(
      bench.run(R"({"prompt": "p", "logprobs": 0})").logprobs[0].at(0).alternatives.empty());
}

}  // namespace
}  // namespace vernal

// What clients get from the engine: answers, limits, reproducibility.
#include "engine/engine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/byte_tokenizer.hpp"
#include "text/request/request_error.hpp"
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

TEST(Engine, DecodesTogetherAndSharesStepsWithPrefill) {
  BenchOptions options;
  options.slots = 4;
  EngineBench bench(test::predict_letters, options);
  bench.control().close_gate();
  std::vector<RequestId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(bench.submit(R"({"prompt": "abc", "max_tokens": 50})"));
  for (const RequestId id : ids) EXPECT_EQ(bench.next(id).type, VERNAL_EVENT_ACCEPTED);
  bench.control().open_gate();
  for (const RequestId id : ids) EXPECT_TRUE(bench.read(id).is_finished());
  EXPECT_LT(bench.control().num_steps, 4 * 50U);
  EXPECT_LE(bench.control().num_steps, 110U);
}

TEST(Engine, SeatsByPriorityThenByArrival) {
  BenchOptions options;
  options.slots = 1;
  options.engine.num_intake_threads = 1;
  std::mutex mutex;
  std::string order;
  auto control = std::make_shared<test::StepModelControl>();
  control->on_step = [&](std::uint64_t, std::span<const StepChunk> chunks) {
    const std::lock_guard lock(mutex);
    const char first = static_cast<char>(chunks[0].tokens[0]);
    if (chunks[0].first_position == 0) order += first;
  };
  control->close_gate();
  EngineBench bench(test::predict_letters, options, control);
  std::vector<RequestId> ids;
  for (const char* document :
       {R"({"prompt": "A", "max_tokens": 2})", R"({"prompt": "B", "max_tokens": 2})",
        R"({"prompt": "C", "max_tokens": 2, "priority": 5})",
        R"({"prompt": "D", "max_tokens": 2})"}) {
    ids.push_back(bench.submit(document));
    EXPECT_EQ(bench.next(ids.back()).type, VERNAL_EVENT_ACCEPTED);
    if (ids.size() == 1) {
      EXPECT_EQ(bench.next(ids[0]).type, VERNAL_EVENT_STARTED);
    }
  }
  control->open_gate();
  for (const RequestId id : ids) EXPECT_TRUE(bench.read(id).is_finished());
  EXPECT_EQ(order, "ACBD");
}

TEST(Engine, KeepsBothConversationsThatBeginWithTheSameTokens) {
  BenchOptions options;
  options.slots = 2;
  EngineBench bench(test::predict_letters, options);
  const std::string system(300, 's');
  const auto cached = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt))
        .terminal.cached_tokens;
  };
  const std::string first = system + std::string(500, 'a');
  const std::string second = system + std::string(400, 'b');
  EXPECT_EQ(cached(first), 0U);
  EXPECT_EQ(cached(second), 256U);  // a copy: the first conversation is still there
  EXPECT_EQ(cached(first + "and so on"), 768U);
  EXPECT_EQ(cached(second + "and so on"), 640U);
  // With both slots full, the one that a third begins like is cut only if the other holds more.
  EXPECT_EQ(cached(second + "and on"), 704U);
  EXPECT_EQ(cached(first + "and on"), 768U);
}

TEST(Engine, DoesNotCutALongConversationForAFewTokensWhereItCannotCopyThem) {
  BenchOptions options;
  options.slots = 2;
  options.max_checkpoints = 1;  // of which the scripted model makes none
  const auto control = std::make_shared<test::StepModelControl>();
  control->truncates_anywhere = false;
  control->rollback_depth = 1000;
  EngineBench bench(test::predict_letters, options, control);
  const auto cached = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt))
        .terminal.cached_tokens;
  };
  const std::string system(130, 's');
  const std::string first = system + std::string(670, 'a');
  EXPECT_EQ(cached(first), 0U);
  EXPECT_EQ(cached(system + std::string(500, 'b')), 0U);  // 128 could be had for 640
  EXPECT_EQ(cached(first + "and so on"), 768U);
}

TEST(Engine, ReusesTheTokensThatTwoPromptsBeginWith) {
  BenchOptions options;
  options.slots = 1;
  EngineBench bench(test::predict_letters, options);
  const std::string prefix(300, 's');
  const auto ask = [&](const std::string& prompt) {
    return bench.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prompt));
  };
  EXPECT_EQ(ask(prefix + "one").terminal.cached_tokens, 0U);
  const Answer second = ask(prefix + "two");
  EXPECT_EQ(second.terminal.cached_tokens, 256U);  // a multiple of 64
  EXPECT_EQ(second.find(VERNAL_EVENT_STARTED)->cached_tokens, 256U);
  EngineBench fresh(test::predict_letters, options);
  EXPECT_EQ(
      fresh.run(fmt::format(R"({{"prompt": "{}", "seed": 1, "max_tokens": 5}})", prefix + "two"))
          .texts[0],
      second.texts[0]);
  EXPECT_EQ(ask("short").terminal.cached_tokens, 0U);
}

TEST(Engine, WaitsForRoomInThePoolAndPutsBackTheLast) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 500;
  BenchOptions options;
  options.slots = 4;
  options.context_length = 400;
  EngineBench bench(test::predict_letters, options, control);
  std::vector<RequestId> ids;
  for (int i = 0; i < 6; ++i) {
    ids.push_back(bench.submit(fmt::format(R"({{"prompt": "{}", "seed": 3, "max_tokens": 300}})",
                                           std::string(40, static_cast<char>('a' + i)))));
  }
  std::vector<std::string> texts;
  for (const RequestId id : ids) {
    const Answer answer = bench.read(id);
    ASSERT_TRUE(answer.is_finished()) << answer.terminal.text;
    EXPECT_EQ(answer.texts[0].size(), 300U);
    texts.push_back(answer.texts[0]);
  }
  EXPECT_GT(bench.metric("vernal_preemptions_total"), 0.0);
  EngineBench roomy;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(roomy
                  .run(fmt::format(R"({{"prompt": "{}", "seed": 3, "max_tokens": 300}})",
                                   std::string(40, static_cast<char>('a' + i))))
                  .texts[0],
              texts[static_cast<std::size_t>(i)]);
  }
}

TEST(Engine, RefusesWhatTheWholePoolCannotHold) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 100;
  EngineBench bench(test::predict_letters, {}, control);
  const Answer answer = bench.run(fmt::format(R"({{"prompt": "{}"}})", std::string(200, 'x')));
  EXPECT_EQ(answer.terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(answer.terminal.http_hint, 503U);
  const Answer grown = bench.run(fmt::format(R"({{"prompt": "{}"}})", std::string(60, 'x')));
  EXPECT_EQ(grown.terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(grown.texts[0].size(), 41U);
  EXPECT_TRUE(bench.run(R"({"prompt": "x", "max_tokens": 5})").is_finished());
}

TEST(Engine, SeatsTheNextWhenARequestOutgrowsThePool) {
  auto control = std::make_shared<test::StepModelControl>();
  control->capacity_tokens = 100;
  BenchOptions options;
  options.slots = 1;
  EngineBench bench(test::predict_letters, options, control);
  const RequestId growing =
      bench.submit(fmt::format(R"({{"prompt": "{}"}})", std::string(60, 'x')));
  const RequestId next = bench.submit(R"({"prompt": "x", "max_tokens": 5})");
  EXPECT_EQ(bench.read(growing).terminal.code, VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_TRUE(bench.read(next).is_finished());
}

TEST(Engine, FindsTheModelThatAPatternStandsFor) {
  EngineBench bench(answers({{"hi>", "hello"}}));
  RequestDefaults brief;
  brief.max_tokens = 2;
  bench.engine().declare_profile("claude-*", "m", {}, {"gpt-*"});
  bench.engine().declare_profile("claude-*haiku*", "m", brief);
  const auto budget = [&](std::string_view name) {
    return bench.engine().text_model(name).defaults->max_tokens;
  };
  EXPECT_EQ(budget("claude-opus"), std::nullopt);
  EXPECT_EQ(budget("claude-haiku-4-5"), 2U);
  EXPECT_EQ(budget("claude-*haiku*"), 2U);
  EXPECT_EQ(budget("gpt-4o"), std::nullopt);
  EXPECT_THROW(budget("gemini"), Error);
}

TEST(Engine, ListsModelsAndProfilesWithTheirState) {
  EngineBench bench(answers({{"hi>", "hello"}}));
  RequestDefaults defaults;
  defaults.max_tokens = 2;
  defaults.sampling.temperature = 0.0;
  bench.engine().declare_profile("short", "m", defaults);
  ModelDescription later;
  later.id = "later";
  bench.engine().declare_model(later, {});
  const auto models = bench.engine().models();
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models[0].id, "m");
  EXPECT_EQ(models[0].status.state, VERNAL_MODEL_READY);
  EXPECT_EQ(models[1].id, "short");
  EXPECT_EQ(models[1].context_length, 2000U);
  EXPECT_EQ(models[2].status.state, VERNAL_MODEL_LOADING);
  EXPECT_EQ(bench.engine().health().state, VERNAL_MODEL_LOADING);
  SubmitArguments arguments;
  arguments.model = "short";
  arguments.document = R"({"prompt": "hi>"})";
  EXPECT_EQ(bench.read(bench.engine().submit(arguments)).texts[0], "he");
  arguments.model = "later";
  EXPECT_THROW(bench.engine().submit(arguments), RequestError);
  bench.engine().fail_model("later", "the file is gone");
  EXPECT_EQ(bench.engine().health().state, VERNAL_MODEL_FAILED);
  EXPECT_NE(bench.engine().health().reason.find("the file is gone"), std::string::npos);
}

TEST(Engine, RefusesUnknownModelsAndRequests) {
  EngineBench bench;
  SubmitArguments arguments;
  arguments.model = "nobody";
  arguments.document = "{}";
  try {
    bench.engine().submit(arguments);
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_EQ(error.code(), VERNAL_NOT_FOUND);
    EXPECT_EQ(error.kind().code, "model_not_found");
    EXPECT_NE(std::string(error.what()).find("The model `nobody` does not exist"),
              std::string::npos);
  }
  for (const RequestId id : {RequestId{0}, RequestId{77}}) {
    EXPECT_THROW(bench.engine().poll(id), Error);
    EXPECT_THROW(bench.engine().cancel(id), Error);
    EXPECT_THROW(bench.engine().release(id), Error);
  }
  const RequestId id = bench.submit(R"({"prompt": "x", "max_tokens": 1})");
  bench.read(id);
  bench.engine().release(id);
  EXPECT_THROW(bench.engine().poll(id), Error);
}

TEST(Engine, SaysWhatIsWrongWithADocument) {
  EngineBench bench;
  const Answer answer = bench.run(R"({"prompt": "x", "sampling": {"top_p": 3}})");
  ASSERT_EQ(answer.events.size(), 1U);
  EXPECT_EQ(answer.terminal.type, VERNAL_EVENT_ERROR);
  EXPECT_EQ(answer.terminal.param, "sampling.top_p");
  EXPECT_EQ(answer.terminal.http_hint, 400U);
  EXPECT_EQ(bench.run(R"({"messages": [{"role": "user", "content": "x"}]})").terminal.error_code,
            "no_chat_template");
}

TEST(Engine, NamesABiasBeyondTheVocabulary) {
  EngineBench bench;
  const Answer answer =
      bench.run(R"({"prompt": "x", "sampling": {"logit_bias": {"1": 5, "7654321": 1}}})");
  ASSERT_EQ(answer.terminal.type, VERNAL_EVENT_ERROR);
  EXPECT_EQ(answer.terminal.error_code, "invalid_value");
  EXPECT_EQ(answer.terminal.param, "sampling.logit_bias.7654321");
  EXPECT_NE(answer.terminal.text.find("7654321"), std::string::npos);
}

TEST(Engine, NamesTheMessagesThatDoNotFit) {
  BenchOptions options;
  options.context_length = 10;
  options.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}";
  EngineBench bench(test::predict_letters, options);
  const Answer answer = bench.run(R"({"messages": [{"role": "user", "content": "0123456789"}]})");
  EXPECT_EQ(answer.terminal.param, "messages");
  EXPECT_EQ(answer.terminal.text,
            "This model's maximum context length is 10 tokens. However, your messages resulted in "
            "10 tokens. Please reduce the length of the messages.");
}

TEST(Engine, CountsWhatItDoes) {
  EngineBench bench(answers({{"p", "abc"}}));
  bench.run(R"({"prompt": "p", "sampling": {"temperature": 0}})");
  bench.run(R"({"prompt": "p", "max_tokens": 1})");
  bench.run(R"({"prompt": "p", "n": 0})");
  EXPECT_EQ(bench.metric("vernal_generated_tokens_total"), 5.0);
  EXPECT_EQ(bench.metric("vernal_requests_total", "model=\"m\",reason=\"stop\""), 1.0);
  EXPECT_EQ(bench.metric("vernal_requests_total", "model=\"m\",reason=\"length\""), 1.0);
  EXPECT_EQ(bench.metric("vernal_requests_total", "model=\"m\",reason=\"client_error\""), 1.0);
  EXPECT_EQ(bench.metric("vernal_requests_total", "model=\"m\",reason=\"error\""), 0.0);
  bench.eventually([&] { return bench.metric("vernal_requests_running") == 0.0; });
  bench.eventually([&] { return bench.metric("vernal_requests_queued") == 0.0; });
  EXPECT_GT(bench.metric("vernal_steps_total"), 3.0);
}

// What a client divides tokens by: the time of the first token is the prompt's, not the answer's.
TEST(Engine, CountsDecodingFromTheFirstTokenToTheLast) {
  const auto control = std::make_shared<test::StepModelControl>();
  constexpr std::chrono::milliseconds kStep{5};
  control->on_step = [kStep](std::uint64_t, std::span<const StepChunk>) {
    const auto until = SteadyClock::now() + kStep;
    while (SteadyClock::now() < until) {
    }
  };
  EngineBench bench(test::predict_letters, {}, control);
  const auto timings = [&](int num_tokens) {
    return bench
        .run(R"({"kind":"generate","prompt":"abc","max_tokens":)" + std::to_string(num_tokens) +
             "}")
        .terminal;
  };
  const Event one = timings(1);
  EXPECT_EQ(one.completion_tokens, 1U);
  EXPECT_EQ(one.decode_us, 0U) << "nothing was decoded after the first token";
  EXPECT_GE(one.prefill_us, 5000U);
  const Event four = timings(4);
  EXPECT_EQ(four.completion_tokens, 4U);
  EXPECT_GE(four.decode_us, 3U * 5000U);
  EXPECT_GE(four.prefill_us, 5000U);
}

}  // namespace
}  // namespace vernal

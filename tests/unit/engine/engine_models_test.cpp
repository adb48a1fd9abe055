// Models and names, refusals, and what the engine counts.
#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include "text/request/request_error.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::answers;
using test::BenchOptions;
using test::EngineBench;

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

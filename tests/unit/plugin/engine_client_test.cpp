// The frontend's side of the engine, text and console services, with tables that the tests fill.
#include "vernal/engine_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vernal/console_client.hpp"
#include "vernal/text_client.hpp"

namespace vernal {
namespace {

using ::testing::ElementsAre;

// A service that knows one model and answers each request with one delta and the end.
struct FakeEngine {
  std::int32_t submit_status = VERNAL_OK;
  std::string model;
  std::string document;
  std::vector<std::int32_t> tokens;
  std::vector<vernal_request_id> released;
  std::string cancelled;
  int events_taken = 0;
};

FakeEngine& fake(vernal_engine* engine) { return *reinterpret_cast<FakeEngine*>(engine); }

std::int32_t next_event(vernal_engine* engine, vernal_request_id, vernal_event* out,
                        std::uint32_t* out_more) {
  static constexpr std::int32_t kTokens[] = {3, 4};
  static const vernal_candidate alternatives[] = {
      {sizeof(vernal_candidate), to_str("a"), -0.5, 3, 0},
      {sizeof(vernal_candidate), to_str("b"), -1.5, 9, 0}};
  static const vernal_token_logprob logprobs[] = {
      {sizeof(vernal_token_logprob), alternatives[0], alternatives, 2, sizeof(vernal_candidate)}};
  vernal_event event{};
  const int index = fake(engine).events_taken++;
  *out_more = index < 2 ? 1 : 0;
  if (index == 0) {
    event.type = VERNAL_EVENT_DELTA;
    event.text = to_str("hi");
    event.tokens = kTokens;
    event.num_tokens = 2;
    event.logprobs = logprobs;
    event.num_logprobs = 1;
    event.logprob_stride = sizeof(vernal_token_logprob);
  }
  if (index == 1) event.type = VERNAL_EVENT_FINISHED;
  copy_out(event, out);
  return VERNAL_OK;
}

constexpr vernal_engine_api kEngine = {
    .struct_size = sizeof(vernal_engine_api),
    .list_models =
        [](vernal_engine*, const vernal_model_sink* sink) {
          const vernal_model_info model{sizeof(model),
                                        to_str("qwen"),
                                        to_str("qwen2"),
                                        to_str(""),
                                        4096,
                                        1,
                                        1000,
                                        VERNAL_MODEL_READY,
                                        1,
                                        to_str("a\nb"),
                                        3,
                                        0};
          return sink->add(sink->user, &model);
        },
    .submit =
        [](vernal_engine* engine, const vernal_submit_args* args, vernal_request_id* out) {
          if (fake(engine).submit_status != VERNAL_OK) {
            plugin_host().set_error(fake(engine).submit_status, "64 requests wait already");
            return fake(engine).submit_status;
          }
          fake(engine).model = view(args->model);
          fake(engine).document = view(args->request_json);
          fake(engine).tokens.assign(args->tokens, args->tokens + args->num_tokens);
          *out = 12;
          return VERNAL_OK;
        },
    .poll_events = next_event,
    .wait_events = [](vernal_engine* engine, vernal_request_id request, std::uint64_t,
                      vernal_event* out,
                      std::uint32_t* more) { return next_event(engine, request, out, more); },
    .cancel =
        [](vernal_engine* engine, vernal_request_id, vernal_str reason) {
          fake(engine).cancelled = view(reason);
          return VERNAL_OK;
        },
    .release =
        [](vernal_engine* engine, vernal_request_id request) {
          fake(engine).released.push_back(request);
          return VERNAL_OK;
        },
    .stats =
        [](vernal_engine*, const vernal_metric_sink* sink) {
          const vernal_metric metric{sizeof(metric),
                                     to_str("vernal_requests_running"),
                                     to_str("help"),
                                     to_str("model=\"qwen\""),
                                     3,
                                     VERNAL_METRIC_GAUGE,
                                     0};
          return sink->add(sink->user, &metric);
        },
    .health =
        [](vernal_engine*, std::uint32_t* state, const vernal_sink* reason) {
          *state = VERNAL_MODEL_LOADING;
          return reason->write(reason->user, "42 %", 4);
        },
    .list_slots = nullptr,
};

class EngineClientTest : public ::testing::Test {
 protected:
  FakeEngine engine_;
  EngineClient client_{&kEngine, reinterpret_cast<vernal_engine*>(&engine_)};
};

TEST_F(EngineClientTest, ListsModelsMetricsAndHealth) {
  const std::vector<ModelInfo> models = client_.models();
  ASSERT_EQ(models.size(), 1u);
  EXPECT_EQ(models[0].id, "qwen");
  EXPECT_EQ(models[0].context_length, 4096u);
  EXPECT_TRUE(models[0].has_chat_template);
  EXPECT_THAT(models[0].aliases, ElementsAre("a", "b"));
  EXPECT_EQ(models[0].num_slots, 3U);
  EXPECT_EQ(client_.metrics().at(0).labels, "model=\"qwen\"");
  EXPECT_EQ(client_.health().reason, "42 %");
}

TEST_F(EngineClientTest, SubmitsReadsEventsAndReleases) {
  const std::vector<std::int32_t> prompt = {1, 2, 3};
  {
    const Submission sent =
        client_.submit({.model = "qwen", .request_json = "{}", .tokens = prompt});
    ASSERT_TRUE(sent.accepted());
    EXPECT_EQ(sent.request.id(), 12u);
    EXPECT_EQ(engine_.model, "qwen");
    EXPECT_THAT(engine_.tokens, ElementsAre(1, 2, 3));
    vernal_event event;
    ASSERT_TRUE(sent.request.poll(event));
    EXPECT_EQ(view(event.text), "hi");
    EXPECT_EQ(tokens_of(event).back(), 4);
    ASSERT_EQ(logprobs_of(event).size(), 1u);
    EXPECT_EQ(alternatives_of(logprobs_of(event)[0]).at(1).token, 9);
    EXPECT_FALSE(is_terminal(event));
    ASSERT_TRUE(sent.request.wait(5, event));
    EXPECT_TRUE(is_terminal(event));
    EXPECT_FALSE(sent.request.poll(event));
    EXPECT_TRUE(engine_.released.empty());
  }
  EXPECT_THAT(engine_.released, ElementsAre(12));
}

TEST_F(EngineClientTest, GivesARefusedSubmitAsAValue) {
  engine_.submit_status = VERNAL_QUEUE_FULL;
  const Submission refused = client_.submit({.model = "qwen", .request_json = "{}"});
  EXPECT_FALSE(refused.accepted());
  EXPECT_EQ(refused.status, VERNAL_QUEUE_FULL);
  EXPECT_EQ(refused.reason, "64 requests wait already");
  EXPECT_EQ(refused.request.id(), 0u);
}

TEST_F(EngineClientTest, ReleasesAMovedRequestOnce) {
  EngineRequest kept;
  {
    Submission sent = client_.submit({.model = "qwen", .request_json = "{}"});
    kept = std::move(sent.request);
  }
  EXPECT_TRUE(engine_.released.empty());
  kept.cancel("client left");
  EXPECT_EQ(engine_.cancelled, "client left");
  kept.release();
  kept.release();
  EXPECT_THAT(engine_.released, ElementsAre(12));
}

constexpr vernal_text_api kText = {
    .struct_size = sizeof(vernal_text_api),
    .tokenize =
        [](vernal_text*, vernal_str, vernal_str input, std::uint32_t, const vernal_sink* sink) {
          for (std::uint64_t i = 0; i < input.size; ++i) {
            const std::int32_t id = static_cast<unsigned char>(input.data[i]);
            if (const std::int32_t status = sink->write(sink->user, &id, sizeof(id))) return status;
          }
          return VERNAL_OK;
        },
    .detokenize = [](vernal_text*, vernal_str, const std::int32_t*, std::uint64_t,
                     const vernal_sink* sink) { return sink->write(sink->user, "cut", 3); },
    .apply_template =
        [](vernal_text*, vernal_str, vernal_str, const vernal_sink*) {
          plugin_host().set_error(VERNAL_UNSUPPORTED, "model \"qwen\" has no chat template");
          return VERNAL_UNSUPPORTED;
        },
    .count =
        [](vernal_text*, vernal_str, vernal_str, std::uint64_t* out) {
          *out = 17;
          return VERNAL_OK;
        },
    .token_bytes =
        [](vernal_text*, vernal_str, const std::int32_t* tokens, std::uint64_t count,
           const vernal_sink* bytes) {
          for (std::uint64_t i = 0; i < count; ++i) {
            bytes->write(bytes->user, "abc", static_cast<std::uint64_t>(tokens[i]));
          }
          return VERNAL_OK;
        },
    .describe = nullptr,
};

TEST(TextClient, ConvertsBetweenTextAndTokens) {
  const TextClient text(&kText, nullptr);
  EXPECT_THAT(text.tokenize("qwen", "AB", 0), ElementsAre(65, 66));
  EXPECT_EQ(text.detokenize("qwen", {}), "cut");
  EXPECT_EQ(text.count("qwen", "{}"), 17u);
  EXPECT_THAT(text.token_bytes("qwen", std::vector<std::int32_t>{2, 0, 3}),
              ElementsAre("ab", "", "abc"));
}

TEST(TextClient, ReportsWhatAnOlderHostLacks) {
  try {
    TextClient(&kText, nullptr).describe("qwen");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNIMPLEMENTED);
  }
}

TEST(TextClient, ThrowsTheCoresOwnText) {
  try {
    TextClient(&kText, nullptr).apply_template("qwen", "{}");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
    EXPECT_STREQ(error.what(), "model \"qwen\" has no chat template");
  }
}

TEST(TokenSink, RefusesAPieceThatCutsAnId) {
  std::vector<std::int32_t> tokens;
  const vernal_sink sink = append_to(tokens);
  EXPECT_EQ(sink.write(sink.user, "abc", 3), VERNAL_INVALID_ARGUMENT);
  EXPECT_TRUE(tokens.empty());
}

TEST(ConsoleClient, IsRefusedByAnOlderHostWithAStatus) {
  vernal_console_api table{};
  table.struct_size = sizeof(table);
  const ConsoleClient console(&table, nullptr);
  try {
    console.write("hello");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNIMPLEMENTED);
  }
}

}  // namespace
}  // namespace vernal

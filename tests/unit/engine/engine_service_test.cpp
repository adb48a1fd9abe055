// The tables of the engine and text services, as plugins get them.
#include "engine/engine_service.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstring>
#include <thread>

#include "support/byte_tokenizer.hpp"
#include "unit/engine/engine_bench.hpp"
#include "vernal/host.hpp"
#include "vernal/tables.hpp"

namespace vernal {
namespace {

using test::answers;
using test::EngineBench;

// An engine as a frontend uses it: only through the interface.
class Client {
 public:
  explicit Client(Engine& engine)
      : engine_(engine_service_object(engine)), text_(text_service_object(engine)) {}

  std::int32_t submit(std::string_view document, vernal_request_id* id,
                      std::string_view model = "m") {
    vernal_submit_args args{};
    args.struct_size = sizeof(args);
    args.model = to_str(model);
    args.request_json = to_str(document);
    return engine_api.submit(engine_, &args, id);
  }

  static std::int32_t append(void* user, const void* data, std::uint64_t size) {
    static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
    return VERNAL_OK;
  }

  vernal_engine* engine_;
  vernal_text* text_;
  vernal_engine_api engine_api = adopt_table(&engine_service_api(), "engine");
  vernal_text_api text_api = adopt_table(&text_service_api(), "text");
  std::string written;
  vernal_sink sink{append, &written};
};

TEST(EngineService, AnswersARequestThroughTheTable) {
  EngineBench bench(answers({{"hi>", "hello"}}));
  Client client(bench.engine());
  vernal_request_id id = 0;
  ASSERT_EQ(
      client.submit(R"({"prompt": "hi>", "logprobs": 2, "sampling": {"temperature": 0}})", &id),
      VERNAL_OK);
  std::string text;
  std::uint32_t type = 0;
  while (type != VERNAL_EVENT_FINISHED && type != VERNAL_EVENT_ERROR) {
    vernal_event event{};
    event.struct_size = sizeof(event);
    std::uint32_t more = 0;
    ASSERT_EQ(client.engine_api.wait_events(client.engine_, id, UINT64_MAX, &event, &more),
              VERNAL_OK);
    ASSERT_EQ(more, 1U);
    type = event.type;
    if (type == VERNAL_EVENT_DELTA) {
      text += view(event.text);
      ASSERT_EQ(event.num_logprobs, event.num_tokens);
      const auto logprob = element_at(event.logprobs, event.logprob_stride, 0);
      EXPECT_EQ(logprob.chosen.token, event.tokens[0]);
      ASSERT_EQ(logprob.num_alternatives, 2U);
      const auto best = element_at(logprob.alternatives, logprob.alternative_stride, 0);
      EXPECT_EQ(view(best.bytes), view(event.text));
    }
  }
  EXPECT_EQ(type, VERNAL_EVENT_FINISHED);
  EXPECT_EQ(text, "hello");
  vernal_event event{};
  event.struct_size = sizeof(event);
  std::uint32_t more = 7;
  EXPECT_EQ(client.engine_api.poll_events(client.engine_, id, &event, &more), VERNAL_OK);
  EXPECT_EQ(more, 0U);
  EXPECT_EQ(event.type, 0U);
  EXPECT_EQ(client.engine_api.release(client.engine_, id), VERNAL_OK);
  EXPECT_EQ(client.engine_api.release(client.engine_, id), VERNAL_NOT_FOUND);
}

TEST(EngineService, WritesNoMoreThanAnOlderCallerHas) {
  EngineBench bench;
  Client client(bench.engine());
  vernal_request_id id = 0;
  ASSERT_EQ(client.submit("{}", &id), VERNAL_OK);
  struct {
    vernal_event event;
    unsigned char guard[8];
  } small{};
  std::memset(&small, 0xDB, sizeof(small));
  small.event.struct_size = offsetof(vernal_event, tokens);
  std::uint32_t more = 0;
  ASSERT_EQ(client.engine_api.wait_events(client.engine_, id, 60'000, &small.event, &more),
            VERNAL_OK);
  EXPECT_EQ(more, 1U);
  EXPECT_EQ(view(small.event.error_code), "invalid_value");
  unsigned char untouched = 0;
  std::memcpy(&untouched, &small.event.tokens, 1);
  EXPECT_EQ(untouched, 0xDB);
}

TEST(EngineService, AnswersWithStatusAndTextAndThrowsNothing) {
  EngineBench bench;
  Client client(bench.engine());
  vernal_request_id id = 9;
  EXPECT_EQ(client.submit("{}", &id, "nobody"), VERNAL_NOT_FOUND);
  EXPECT_EQ(id, 0U);
  EXPECT_NE(plugin_host().last_error().find("`nobody`"), std::string::npos);
  EXPECT_EQ(client.engine_api.submit(client.engine_, nullptr, &id), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(client.engine_api.list_models(client.engine_, nullptr), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(client.engine_api.cancel(client.engine_, 12345, {}), VERNAL_NOT_FOUND);
  EXPECT_EQ(client.text_api.tokenize(client.text_, to_str("m"), to_str("x"), 64U, &client.sink),
            VERNAL_INVALID_ARGUMENT);
  const vernal_sink refusing{
      [](void*, const void*, std::uint64_t) -> std::int32_t { return VERNAL_CANCELLED; }, nullptr};
  EXPECT_EQ(client.text_api.tokenize(client.text_, to_str("m"), to_str("x"), 0, &refusing),
            VERNAL_CANCELLED);
}

TEST(EngineService, ListsModelsHealthAndMetrics) {
  EngineBench bench;
  Client client(bench.engine());
  std::vector<std::string> ids;
  const vernal_model_sink models{
      [](void* user, const vernal_model_info* model) -> std::int32_t {
        EXPECT_EQ(model->state, VERNAL_MODEL_READY);
        EXPECT_EQ(model->context_length, 2000U);
        static_cast<std::vector<std::string>*>(user)->emplace_back(view(model->id));
        return VERNAL_OK;
      },
      &ids};
  EXPECT_EQ(client.engine_api.list_models(client.engine_, &models), VERNAL_OK);
  EXPECT_EQ(ids, std::vector<std::string>{"m"});
  std::uint32_t state = 0;
  EXPECT_EQ(client.engine_api.health(client.engine_, &state, &client.sink), VERNAL_OK);
  EXPECT_EQ(state, VERNAL_MODEL_READY);
  EXPECT_EQ(client.written, "");
  std::vector<std::string> names;
  const vernal_metric_sink metrics{
      [](void* user, const vernal_metric* metric) -> std::int32_t {
        static_cast<std::vector<std::string>*>(user)->emplace_back(view(metric->name));
        return VERNAL_OK;
      },
      &names};
  EXPECT_EQ(client.engine_api.stats(client.engine_, &metrics), VERNAL_OK);
  EXPECT_NE(std::find(names.begin(), names.end(), "vernal_requests_running"), names.end());
}

TEST(EngineService, TokenisesRendersAndCounts) {
  test::BenchOptions options;
  options.chat_template = "{% for m in messages %}<|start|>{{ m.content }}{% endfor %}";
  EngineBench bench(test::predict_letters, options);
  Client client(bench.engine());
  const vernal_str model = to_str("m");
  const vernal_str document = to_str(R"({"messages": [{"role": "user", "content": "a<|end|>"}]})");
  std::uint64_t count = 0;
  EXPECT_EQ(client.text_api.count(client.text_, model, document, &count), VERNAL_OK);
  EXPECT_EQ(count, 9U);
  EXPECT_EQ(client.text_api.apply_template(client.text_, model, document, &client.sink), VERNAL_OK);
  EXPECT_EQ(client.written, "<|start|>a<|end|>");
  client.written.clear();
  EXPECT_EQ(client.text_api.tokenize(client.text_, model, to_str("a<|end|>"),
                                     VERNAL_TEXT_PARSE_SPECIAL, &client.sink),
            VERNAL_OK);
  ASSERT_EQ(client.written.size(), 8U);
  std::int32_t tokens[2];
  std::memcpy(tokens, client.written.data(), 8);
  EXPECT_EQ(tokens[1], test::kEndToken);
  client.written.clear();
  EXPECT_EQ(client.text_api.detokenize(client.text_, model, tokens, 2, &client.sink), VERNAL_OK);
  EXPECT_EQ(client.written, "a<|end|>");
}

TEST(EngineService, GivesTheBytesOfTokensOneByOne) {
  EngineBench bench;
  Client client(bench.engine());
  std::vector<std::string> pieces;
  const vernal_sink each{[](void* user, const void* data, std::uint64_t size) {
                           static_cast<std::vector<std::string>*>(user)->emplace_back(
                               static_cast<const char*>(data), size);
                           return VERNAL_OK;
                         },
                         &pieces};
  const std::vector<std::int32_t> ids = {'h', 0xC3, 'i'};
  ASSERT_EQ(client.text_api.token_bytes(client.text_, to_str("m"), ids.data(), ids.size(), &each),
            VERNAL_OK);
  EXPECT_EQ(pieces, (std::vector<std::string>{"h", "\xC3", "i"}));
  const std::int32_t unknown = 1'000'000;
  EXPECT_EQ(client.text_api.token_bytes(client.text_, to_str("m"), &unknown, 1, &each),
            VERNAL_INVALID_ARGUMENT);
}

TEST(EngineService, DescribesAModel) {
  test::BenchOptions options;
  options.chat_template = "{{ messages[0].content }}";
  EngineBench bench(test::predict_letters, options);
  Client client(bench.engine());
  ASSERT_EQ(client.text_api.describe(client.text_, to_str("m"), &client.sink), VERNAL_OK);
  const boost::json::value facts = boost::json::parse(client.written);
  EXPECT_EQ(facts.at("id"), "m");
  EXPECT_EQ(facts.at("context_length"), 2000);
  EXPECT_EQ(facts.at("chat_template"), "{{ messages[0].content }}");
  EXPECT_EQ(facts.at("sampling").at("temperature"), 1.0);
  EXPECT_TRUE(facts.at("tokens").at("infill_prefix").is_null());
  EXPECT_EQ(client.text_api.describe(client.text_, to_str("x"), &client.sink), VERNAL_NOT_FOUND);
}

TEST(EngineService, ListsWhatEverySlotDoes) {
  test::BenchOptions options;
  options.slots = 2;
  EngineBench bench(answers({{"hi>", "hello"}}), options);
  Client client(bench.engine());
  std::vector<vernal_slot_info> slots;
  const vernal_slot_sink sink{[](void* user, const vernal_slot_info* slot) {
                                static_cast<std::vector<vernal_slot_info>*>(user)->push_back(*slot);
                                return VERNAL_OK;
                              },
                              &slots};
  bench.control().close_gate();
  vernal_request_id id = 0;
  ASSERT_EQ(client.submit(R"({"prompt": "hi>", "max_tokens": 4})", &id), VERNAL_OK);
  const auto is_taken = [&] {
    slots.clear();
    EXPECT_EQ(client.engine_api.list_slots(client.engine_, to_str("m"), &sink), VERNAL_OK);
    return slots.size() == 2 && slots[0].request == id;
  };
  for (int i = 0; i < 5000 && !is_taken(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(is_taken());
  EXPECT_EQ(slots[0].slot, 1U);
  EXPECT_EQ(slots[0].prompt_tokens, 3U);
  EXPECT_EQ(slots[0].max_new_tokens, 4U);
  EXPECT_EQ(slots[1].request, 0U);
  bench.control().open_gate();
  EXPECT_TRUE(bench.read(id).is_finished());
}

TEST(EngineService, ComputesAPromptAnewIfItsClientSaysSo) {
  EngineBench bench(answers({}));
  const std::string prompt(130, 'a');
  const auto cached = [&](const char* more) {
    const auto answer =
        bench.read(bench.submit(R"({"prompt": ")" + prompt + R"(", "max_tokens": 1)" + more + "}"));
    return answer.terminal.cached_tokens;
  };
  EXPECT_EQ(cached(""), 0U);
  EXPECT_GT(cached(""), 0U);
  EXPECT_EQ(cached(R"(, "cache_prompt": false)"), 0U);
}

}  // namespace
}  // namespace vernal

// Events of the engine, made into chats and their event streams.
#include "openai_http/openai/chat_answer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "openai_http/protocol/api_error.hpp"
#include "unit/openai_http/openai/answer_fixture.hpp"
#include "unit/openai_http/raw_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::chunks_of;
using testing::hello;
using testing::kIdentity;
using testing::MockEvent;
using testing::play;
using testing::request_of;
using testing::with_logprobs;

MockEvent with_channel(MockEvent event, std::uint32_t channel) {
  event.channel = channel;
  return event;
}

TEST(ChatStream, HasTheShapeClientsExpect) {
  const auto answer = make_chat_answer(request_of(true), kIdentity);
  const auto chunks = chunks_of(play(*answer, hello()));
  ASSERT_EQ(chunks.size(), 4U);
  for (const json::object& chunk : chunks) {
    EXPECT_EQ(chunk.at("id"), "chatcmpl-1");
    EXPECT_EQ(chunk.at("object"), "chat.completion.chunk");
    EXPECT_EQ(chunk.at("created"), 1700000000);
    EXPECT_EQ(chunk.at("model"), "tiny");
    EXPECT_FALSE(chunk.contains("usage"));
  }
  EXPECT_EQ(chunks[0].at("choices"),
            json::parse(R"([{"index":0,"delta":{"role":"assistant","content":""},
                             "finish_reason":null}])"));
  EXPECT_EQ(chunks[1].at("choices").at(0).at("delta"), json::parse(R"({"content":"Hel"})"));
  EXPECT_EQ(chunks[3].at("choices"),
            json::parse(R"([{"index":0,"delta":{},"finish_reason":"stop"}])"));
}

TEST(ChatStream, EndsWithOneUsageChunkIfAsked) {
  GenerationRequest request = request_of(true);
  request.include_usage = true;
  const auto answer = make_chat_answer(request, kIdentity);
  const auto chunks = chunks_of(play(*answer, hello()));
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) EXPECT_TRUE(chunks[i].at("usage").is_null());
  EXPECT_TRUE(chunks.back().at("choices").as_array().empty());
  EXPECT_EQ(chunks.back().at("usage"),
            json::parse(R"({"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,
                "prompt_tokens_details":{"cached_tokens":4},
                "completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,
                "rejected_prediction_tokens":0}})"));
  EXPECT_EQ(chunks.back().at("timings").at("prompt_n"), 6);
  EXPECT_EQ(chunks.back().at("timings").at("prompt_ms"), 2.0);
  // One of the two tokens was decoded, in 4 ms; the other came out of the prompt.
  EXPECT_EQ(chunks.back().at("timings").at("predicted_n"), 2);
  EXPECT_EQ(chunks.back().at("timings").at("predicted_per_second"), 250.0);
}

TEST(ChatStream, NumbersItsChoices) {
  const auto answer = make_chat_answer(request_of(true, 2), kIdentity);
  const auto chunks = chunks_of(play(
      *answer, {testing::delta("a", 1), testing::delta("b", 0),
                testing::choice_finished(VERNAL_FINISH_LENGTH, 1), testing::choice_finished()}));
  EXPECT_EQ(chunks[0].at("choices").at(0).at("index"), 0);
  EXPECT_EQ(chunks[1].at("choices").at(0).at("index"), 1);
  EXPECT_EQ(chunks[2].at("choices").at(0).at("index"), 1);
  EXPECT_EQ(chunks[4].at("choices").at(0).at("finish_reason"), "length");
  EXPECT_EQ(chunks[5].at("choices").at(0).at("finish_reason"), "stop");
}

TEST(ChatStream, SendsReasoningAndToolCallsInTheirFields) {
  MockEvent name = with_channel(testing::delta("f"), VERNAL_CHANNEL_TOOL_NAME);
  name.call_id = "call_1";
  const auto answer = make_chat_answer(request_of(true), kIdentity);
  const auto chunks =
      chunks_of(play(*answer, {with_channel(testing::delta("hm"), VERNAL_CHANNEL_REASONING), name,
                               with_channel(testing::delta("{}"), VERNAL_CHANNEL_TOOL_ARGUMENTS),
                               testing::choice_finished(VERNAL_FINISH_TOOL_CALLS)}));
  EXPECT_EQ(chunks[1].at("choices").at(0).at("delta"),
            json::parse(R"({"reasoning_content":"hm"})"));
  EXPECT_EQ(chunks[2].at("choices").at(0).at("delta"),
            json::parse(R"({"tool_calls":[{"index":0,"id":"call_1","type":"function",
                            "function":{"name":"f","arguments":""}}]})"));
  EXPECT_EQ(chunks[3].at("choices").at(0).at("delta"),
            json::parse(R"({"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]})"));
  EXPECT_EQ(chunks[4].at("choices").at(0).at("finish_reason"), "tool_calls");
}

TEST(ChatStream, CarriesLogprobs) {
  GenerationRequest request = request_of(true);
  request.wants_logprobs = true;
  request.num_alternatives = 2;
  const auto answer = make_chat_answer(request, kIdentity);
  const auto chunks = chunks_of(play(*answer, {with_logprobs(testing::delta(""))}));
  const json::value& position = chunks[1].at("choices").at(0).at("logprobs").at("content").at(0);
  EXPECT_EQ(position.at("token"), "a");
  EXPECT_EQ(position.at("bytes"), json::parse("[97]"));
  EXPECT_EQ(position.at("top_logprobs").as_array().size(), 2U);
}

TEST(ChatStream, KeepsAliveWithAnEventThatSaysNothing) {
  const auto answer = make_chat_answer(request_of(true), kIdentity);
  std::string out;
  answer->keep_alive(out);
  const json::value chunk = json::parse(testing::event_data(out).at(0));
  EXPECT_EQ(chunk.at("choices").at(0).at("delta"), json::parse(R"({"content":""})"));
}

TEST(ChatStream, SaysLateErrorsInAnEvent) {
  const auto answer = make_chat_answer(request_of(true), kIdentity);
  std::string out;
  answer->fail(internal_error("it broke in the middle"), out);
  const json::value event = json::parse(testing::event_data(out).at(0));
  EXPECT_EQ(event.at("error").at("type"), "server_error");
  EXPECT_EQ(out.find("[DONE]"), std::string::npos);
}

TEST(ChatDocument, HasTheShapeClientsExpect) {
  const auto answer = make_chat_answer(request_of(false), kIdentity);
  const json::value document = json::parse(play(*answer, hello()));
  EXPECT_EQ(document.at("object"), "chat.completion");
  EXPECT_EQ(document.at("choices"),
            json::parse(R"([{"index":0,"message":{"role":"assistant","content":"Hello",
                "refusal":null},"logprobs":null,"finish_reason":"stop"}])"));
  EXPECT_EQ(document.at("usage").at("total_tokens"), 12);
  for (const char* const key : {"prompt_n", "prompt_ms", "prompt_per_second", "predicted_n",
                                "predicted_ms", "predicted_per_second", "cache_n"}) {
    EXPECT_TRUE(document.at("timings").at(key).is_number()) << key;
  }
}

TEST(ChatDocument, GathersChoicesCallsAndLogprobs) {
  GenerationRequest request = request_of(false, 2);
  request.wants_logprobs = true;
  request.num_alternatives = 3;
  MockEvent name = with_channel(testing::delta("f", 1), VERNAL_CHANNEL_TOOL_NAME);
  MockEvent arguments = with_channel(testing::delta("{}", 1), VERNAL_CHANNEL_TOOL_ARGUMENTS);
  const auto answer = make_chat_answer(request, kIdentity);
  const json::value document =
      json::parse(play(*answer, {with_logprobs(testing::delta("x")), name, arguments,
                                 testing::choice_finished(VERNAL_FINISH_TOOL_CALLS, 1),
                                 testing::choice_finished()}));
  const json::value& first = document.at("choices").at(0);
  const json::value& alternatives = first.at("logprobs").at("content").at(0).at("top_logprobs");
  EXPECT_EQ(alternatives.as_array().size(), 3U);
  EXPECT_EQ(alternatives.at(2).at("token"), "\xEF\xBF\xBD");
  EXPECT_EQ(alternatives.at(2).at("bytes"), json::parse("[255]"));
  EXPECT_EQ(alternatives.at(2).at("logprob"), -9999.0);
  const json::value& second = document.at("choices").at(1);
  EXPECT_TRUE(second.at("message").at("content").is_null());
  EXPECT_EQ(second.at("message").at("tool_calls").at(0).at("function").at("arguments"), "{}");
  EXPECT_FALSE(second.at("message").at("tool_calls").at(0).at("id").as_string().empty());
  EXPECT_EQ(second.at("finish_reason"), "tool_calls");
}

TEST(ChatAnswer, IsAFunctionCallInTheOlderApi) {
  MockEvent name = with_channel(testing::delta("f"), VERNAL_CHANNEL_TOOL_NAME);
  const std::vector<MockEvent> events = {
      name, with_channel(testing::delta("{}"), VERNAL_CHANNEL_TOOL_ARGUMENTS),
      testing::choice_finished(VERNAL_FINISH_TOOL_CALLS)};
  GenerationRequest request = request_of(false);
  request.answers_function_call = true;
  const auto whole = make_chat_answer(request, kIdentity);
  const json::value document = json::parse(play(*whole, events)).at("choices").at(0);
  EXPECT_EQ(document.at("message").at("function_call"),
            json::parse(R"({"name":"f","arguments":"{}"})"));
  EXPECT_FALSE(document.at("message").as_object().contains("tool_calls"));
  EXPECT_EQ(document.at("finish_reason"), "function_call");
  request.is_streamed = true;
  const auto stream = make_chat_answer(request, kIdentity);
  const auto chunks = chunks_of(play(*stream, events));
  EXPECT_EQ(chunks[1].at("choices").at(0).at("delta"),
            json::parse(R"({"function_call":{"name":"f","arguments":""}})"));
  EXPECT_EQ(chunks[2].at("choices").at(0).at("delta"),
            json::parse(R"({"function_call":{"arguments":"{}"}})"));
  EXPECT_EQ(chunks[3].at("choices").at(0).at("finish_reason"), "function_call");
}

}  // namespace
}  // namespace vernal::openai_http

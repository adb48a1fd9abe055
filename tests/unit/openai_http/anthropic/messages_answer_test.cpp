// Events of the engine, made into messages and their event streams.
#include "openai_http/anthropic/messages_answer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "openai_http/protocol/api_error.hpp"
#include "unit/openai_http/mock_engine.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::MockEvent;

const AnswerIdentity kIdentity{"msg_1", "tiny", 1700000000};

MockEvent on_channel(std::uint32_t channel, std::string text, std::uint32_t call = 0) {
  MockEvent event = testing::delta(std::move(text));
  event.channel = channel;
  event.call_index = call;
  if (channel == VERNAL_CHANNEL_TOOL_NAME) event.call_id = "call_" + std::to_string(call);
  return event;
}

/// Thinking, text, and two calls, the second without arguments.
std::vector<MockEvent> everything() {
  return {testing::started(4),
          on_channel(VERNAL_CHANNEL_REASONING, "hm"),
          on_channel(VERNAL_CHANNEL_REASONING, "!"),
          testing::delta("I "),
          testing::delta("look."),
          on_channel(VERNAL_CHANNEL_TOOL_NAME, "f", 0),
          on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, R"({"x":)", 0),
          on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, R"(0.10})", 0),
          on_channel(VERNAL_CHANNEL_TOOL_NAME, "g", 1),
          testing::choice_finished(VERNAL_FINISH_TOOL_CALLS),
          testing::finished(10, 7, 4)};
}

std::string play(const std::vector<MockEvent>& events, bool is_streamed,
                 GenerationRequest request = {}) {
  request.is_streamed = is_streamed;
  request.prompts.resize(1);
  const auto answer = make_messages_answer(request, kIdentity);
  testing::EventArrays arrays;
  vernal_event raw{};
  MockEvent accepted = testing::accepted(10);
  accepted.text = "A budget was cut.";
  testing::to_abi(accepted, arrays, raw);
  answer->accept(raw);
  std::string out;
  answer->begin(out);
  for (const MockEvent& event : events) {
    testing::to_abi(event, arrays, raw);
    answer->on_event(0, raw, out);
  }
  answer->end(out);
  return out;
}

/// The events of a stream. Checks that each is named as its data says.
std::vector<json::value> events_of(std::string_view stream) {
  std::vector<json::value> out;
  while (!stream.empty()) {
    const std::size_t end = stream.find("\n\n");
    const std::string_view event = stream.substr(0, end);
    stream.remove_prefix(end + 2);
    const std::size_t line = event.find('\n');
    EXPECT_TRUE(event.starts_with("event: ")) << event;
    EXPECT_EQ(event.substr(line + 1, 6), "data: ") << event;
    out.push_back(json::parse(event.substr(line + 7)));
    EXPECT_EQ(out.back().at("type").as_string(), event.substr(7, line - 7));
  }
  return out;
}

json::value message_of(const std::vector<MockEvent>& events) {
  return json::parse(play(events, false));
}

TEST(MessagesAnswer, IsOneMessageOfBlocks) {
  const std::string text = play(everything(), false);
  EXPECT_EQ(json::parse(text), json::parse(R"({"id":"msg_1","type":"message","role":"assistant",
      "model":"tiny","content":[
        {"type":"thinking","thinking":"hm!","signature":"dmVybmFs"},
        {"type":"text","text":"I look."},
        {"type":"tool_use","id":"call_0","name":"f","input":{"x":0.1}},
        {"type":"tool_use","id":"call_1","name":"g","input":{}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,
        "output_tokens":7,"output_tokens_details":{"thinking_tokens":0}},
      "warnings":["A budget was cut."]})"));
  EXPECT_NE(text.find(R"("input":{"x":0.10})"), std::string::npos) << text;
}

TEST(MessagesAnswer, StreamsBlocksOneAfterTheOther) {
  const std::vector<json::value> events = events_of(play(everything(), true));
  const json::value expected = json::parse(R"([
      {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",
        "model":"tiny","content":[],"stop_reason":null,"stop_sequence":null,
        "usage":{"input_tokens":10,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,
          "output_tokens":0},"warnings":["A budget was cut."]}},
      {"type":"ping"},
      {"type":"content_block_start","index":0,
        "content_block":{"type":"thinking","thinking":"","signature":""}},
      {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}},
      {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"!"}},
      {"type":"content_block_delta","index":0,
        "delta":{"type":"signature_delta","signature":"dmVybmFs"}},
      {"type":"content_block_stop","index":0},
      {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}},
      {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I "}},
      {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}},
      {"type":"content_block_stop","index":1},
      {"type":"content_block_start","index":2,
        "content_block":{"type":"tool_use","id":"call_0","name":"f","input":{}}},
      {"type":"content_block_delta","index":2,
        "delta":{"type":"input_json_delta","partial_json":"{\"x\":"}},
      {"type":"content_block_delta","index":2,
        "delta":{"type":"input_json_delta","partial_json":"0.10}"}},
      {"type":"content_block_stop","index":2},
      {"type":"content_block_start","index":3,
        "content_block":{"type":"tool_use","id":"call_1","name":"g","input":{}}},
      {"type":"content_block_stop","index":3},
      {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},
        "usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,
          "output_tokens":7,"output_tokens_details":{"thinking_tokens":0}}},
      {"type":"message_stop"}])");
  ASSERT_EQ(events.size(), expected.as_array().size());
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i], expected.at(i)) << i;
}

TEST(MessagesAnswer, SaysWhyItEnded) {
  const std::pair<std::uint32_t, const char*> reasons[] = {
      {VERNAL_FINISH_STOP, "end_turn"},
      {VERNAL_FINISH_LENGTH, "max_tokens"},
      {VERNAL_FINISH_TOOL_CALLS, "tool_use"},
      {VERNAL_FINISH_CONTENT_FILTER, "refusal"},
  };
  for (const auto& [reason, name] : reasons) {
    const json::value message = message_of({testing::choice_finished(reason), testing::finished()});
    EXPECT_EQ(message.at("stop_reason"), name);
    EXPECT_TRUE(message.at("stop_sequence").is_null());
  }
  MockEvent by_text = testing::choice_finished(VERNAL_FINISH_STOP_STRING);
  by_text.text = "\n\nHuman:";
  const json::value message = message_of({by_text, testing::finished()});
  EXPECT_EQ(message.at("stop_reason"), "stop_sequence");
  EXPECT_EQ(message.at("stop_sequence"), "\n\nHuman:");
  EXPECT_TRUE(message.at("content").as_array().empty());
}

// A limit may cut a call in the middle of its arguments.
TEST(MessagesAnswer, KeepsArgumentsThatAreNoObject) {
  for (const char* const arguments : {R"({"x":1)", "[1]", "7", R"({"x":1}})", R"({},"y":{})"}) {
    const json::value message =
        message_of({on_channel(VERNAL_CHANNEL_TOOL_NAME, "f"),
                    on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, arguments), testing::finished()});
    const json::object& input = message.at("content").at(0).at("input").as_object();
    ASSERT_EQ(input.size(), 1U) << arguments;
    EXPECT_EQ(input.at("INVALID_JSON"), arguments);
  }
}

TEST(MessagesAnswer, HidesThinkingWhereItIsNotWanted) {
  GenerationRequest request;
  request.hides_thinking = true;
  const json::value message = json::parse(play(everything(), false, request));
  EXPECT_EQ(message.at("content").at(0),
            json::parse(R"({"type":"thinking","thinking":"","signature":"dmVybmFs"})"));
  const std::string stream = play(everything(), true, request);
  EXPECT_EQ(stream.find("thinking_delta"), std::string::npos);
  EXPECT_NE(stream.find("signature_delta"), std::string::npos);
}

TEST(MessagesAnswer, SaysLateErrorsInAnEvent) {
  GenerationRequest request;
  request.is_streamed = true;
  const auto answer = make_messages_answer(request, kIdentity);
  std::string out;
  answer->fail(at_capacity("the device has no memory"), out);
  const std::vector<json::value> events = events_of(out);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at("error").at("type"), "overloaded_error");
  EXPECT_FALSE(events[0].as_object().contains("request_id"));
}

}  // namespace
}  // namespace vernal::openai_http

// What clients of the Responses API get, made of the engine's events.
#include "openai_http/responses/response_answer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "openai_http/protocol/api_error.hpp"
#include "unit/openai_http/mock_event.hpp"
#include "unit/openai_http/raw_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::MockEvent;

const AnswerIdentity kIdentity{"resp_1", "tiny", 1700000000};

ResponseRequest request_of(bool is_streamed) {
  ResponseRequest request;
  request.generation.is_streamed = is_streamed;
  request.settings = {{"tool_choice", "auto"}, {"store", true}};
  return request;
}

MockEvent on_channel(std::uint32_t channel, std::string text, std::uint32_t call = 0) {
  MockEvent event = testing::delta(std::move(text));
  event.channel = channel;
  event.call_index = call;
  if (channel == VERNAL_CHANNEL_TOOL_NAME) event.call_id = "call_" + std::to_string(call);
  return event;
}

/// Thinking, text and two calls.
std::vector<MockEvent> everything(std::uint32_t reason = VERNAL_FINISH_TOOL_CALLS) {
  return {testing::started(),
          on_channel(VERNAL_CHANNEL_REASONING, "hm"),
          on_channel(VERNAL_CHANNEL_REASONING, "m"),
          testing::delta("Hel"),
          testing::delta("lo"),
          on_channel(VERNAL_CHANNEL_TOOL_NAME, "f", 0),
          on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, "{\"x\":", 0),
          on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, "1}", 0),
          on_channel(VERNAL_CHANNEL_TOOL_NAME, "g", 1),
          on_channel(VERNAL_CHANNEL_TOOL_ARGUMENTS, "{}", 1),
          testing::choice_finished(reason),
          testing::finished(10, 7, 4)};
}

void feed(Answer& answer, const MockEvent& event, std::string& out) {
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  answer.on_event(0, raw, out);
}

std::string play(const ResponseRequest& request, const std::vector<MockEvent>& events,
                 const KeepResponse& keep = {}) {
  const auto answer = make_response_answer(request, kIdentity, keep);
  std::string out;
  answer->begin(out);
  for (const MockEvent& event : events) feed(*answer, event, out);
  answer->end(out);
  return out;
}

json::object document_of(const std::vector<MockEvent>& events) {
  return json::parse(play(request_of(false), events)).as_object();
}

/// The events of a stream. Checks that names are types, and that numbers rise from 0.
std::vector<json::object> events_of(const std::string& stream) {
  std::vector<json::object> events;
  for (const std::string& data : testing::event_data(stream)) {
    events.push_back(json::parse(data).as_object());
    const std::string type(events.back().at("type").as_string());
    EXPECT_NE(stream.find("event: " + type + "\ndata: " + data + "\n\n"), std::string::npos);
    EXPECT_EQ(events.back().at("sequence_number"), events.size() - 1);
  }
  return events;
}

std::string types_of(const std::vector<json::object>& events) {
  std::string out;
  for (const json::object& event : events) {
    const std::string type(event.at("type").as_string());
    out += type.substr(std::string_view("response.").size()) + " ";
  }
  return out;
}

TEST(ResponseDocument, HasAnItemForEachKindOfText) {
  const json::object document = document_of(everything());
  EXPECT_EQ(document.at("id"), "resp_1");
  EXPECT_EQ(document.at("object"), "response");
  EXPECT_EQ(document.at("created_at"), 1700000000);
  EXPECT_EQ(document.at("status"), "completed");
  EXPECT_TRUE(document.at("error").is_null());
  EXPECT_EQ(document.at("tool_choice"), "auto");
  const json::array& output = document.at("output").as_array();
  ASSERT_EQ(output.size(), 4U);
  EXPECT_EQ(output[0].at("type"), "reasoning");
  EXPECT_EQ(output[0].at("content"), json::parse(R"([{"type":"reasoning_text","text":"hmm"}])"));
  EXPECT_EQ(output[1].at("role"), "assistant");
  EXPECT_EQ(
      output[1].at("content"),
      json::parse(R"([{"type":"output_text","text":"Hello","annotations":[],"logprobs":[]}])"));
  EXPECT_EQ(output[2].at("name"), "f");
  EXPECT_EQ(output[2].at("arguments"), "{\"x\":1}");
  EXPECT_EQ(output[2].at("call_id"), "call_0");
  EXPECT_EQ(output[3].at("call_id"), "call_1");
  std::set<std::string> ids;
  for (const json::value& item : output) {
    EXPECT_EQ(item.at("status"), "completed");
    ids.emplace(item.at("id").as_string());
  }
  EXPECT_EQ(ids.size(), 4U);
}

TEST(ResponseDocument, CountsTokensInTheShapeOfItsApi) {
  EXPECT_EQ(document_of(everything()).at("usage"),
            json::parse(R"({"input_tokens":10,"input_tokens_details":{"cached_tokens":4,
                "cache_write_tokens":0},"output_tokens":7,
                "output_tokens_details":{"reasoning_tokens":0},"total_tokens":17})"));
}

TEST(ResponseDocument, SaysWhyItIsNotWhole) {
  const json::object cut = document_of(everything(VERNAL_FINISH_LENGTH));
  EXPECT_EQ(cut.at("status"), "incomplete");
  EXPECT_EQ(cut.at("incomplete_details"), json::parse(R"({"reason":"max_output_tokens"})"));
  EXPECT_EQ(cut.at("output").at(2).at("status"), "completed");
  EXPECT_EQ(cut.at("output").at(3).at("status"), "incomplete");
  EXPECT_FALSE(cut.contains("completed_at"));
  EXPECT_EQ(
      document_of(everything(VERNAL_FINISH_CONTENT_FILTER)).at("incomplete_details").at("reason"),
      "content_filter");
}

TEST(ResponseDocument, OfNoTextIsAnEmptyMessage) {
  const json::object document =
      document_of({testing::delta(""), testing::choice_finished(), testing::finished()});
  ASSERT_EQ(document.at("output").as_array().size(), 1U);
  EXPECT_EQ(document.at("output").at(0).at("content").at(0).at("text"), "");
}

TEST(ResponseDocument, HasLogprobsOfItsText) {
  ResponseRequest request = request_of(false);
  request.generation.wants_logprobs = true;
  request.generation.num_alternatives = 1;
  MockEvent token = testing::delta("a");
  token.positions = {{{"a", -0.5}, {"a", -0.5}, {"b", -2.0}}};
  const json::value document =
      json::parse(play(request, {token, testing::choice_finished(), testing::finished()}));
  const json::value& logprobs = document.at("output").at(0).at("content").at(0).at("logprobs");
  EXPECT_EQ(logprobs.at(0).at("token"), "a");
  EXPECT_EQ(logprobs.at(0).at("top_logprobs").as_array().size(), 1U);
}

TEST(ResponseStream, TellsEachItemInOrder) {
  const std::vector<json::object> events = events_of(play(request_of(true), everything()));
  EXPECT_EQ(types_of(events),
            "created in_progress "
            "output_item.added content_part.added reasoning_text.delta reasoning_text.delta "
            "reasoning_text.done content_part.done output_item.done "
            "output_item.added content_part.added output_text.delta output_text.delta "
            "output_text.done content_part.done output_item.done "
            "output_item.added function_call_arguments.delta function_call_arguments.delta "
            "function_call_arguments.done output_item.done "
            "output_item.added function_call_arguments.delta function_call_arguments.done "
            "output_item.done completed ");
  const json::object& created = events.front().at("response").as_object();
  EXPECT_EQ(created.at("status"), "in_progress");
  EXPECT_EQ(created.at("output"), json::array());
  EXPECT_TRUE(created.at("usage").is_null());
  const json::object& completed = events.back().at("response").as_object();
  EXPECT_EQ(completed.at("id"), created.at("id"));
  EXPECT_EQ(completed.at("usage").at("total_tokens"), 17);
}

TEST(ResponseStream, SaysTheSameInPiecesAndAsAWhole) {
  const std::vector<json::object> events = events_of(play(request_of(true), everything()));
  std::vector<std::string> ids;
  std::vector<std::string> texts;
  for (const json::object& event : events) {
    const std::string type(event.at("type").as_string());
    if (type == "response.output_item.added") {
      EXPECT_EQ(event.at("output_index"), ids.size());
      EXPECT_EQ(event.at("item").at("status"), "in_progress");
      ids.emplace_back(event.at("item").at("id").as_string());
      texts.emplace_back();
    } else if (type.ends_with(".delta")) {
      EXPECT_EQ(event.at("item_id").as_string(), ids.back());
      texts.back() += event.at("delta").as_string();
    } else if (type == "response.output_item.done") {
      EXPECT_EQ(event.at("item").at("id").as_string(), ids.back());
      EXPECT_EQ(event.at("item"), events.back().at("response").at("output").at(ids.size() - 1));
    } else if (type == "response.function_call_arguments.done") {
      EXPECT_EQ(event.at("arguments").as_string(), texts.back());
      EXPECT_EQ(event.at("name"), ids.size() == 3 ? "f" : "g");
    } else if (type == "response.output_text.delta") {
      EXPECT_EQ(event.at("logprobs"), json::array());
    }
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"hmm", "Hello", "{\"x\":1}", "{}"}));
}

TEST(ResponseStream, EndsIncompleteAtALimit) {
  const std::vector<json::object> events = events_of(play(
      request_of(true),
      {testing::delta("a"), testing::choice_finished(VERNAL_FINISH_LENGTH), testing::finished()}));
  EXPECT_EQ(events.back().at("type"), "response.incomplete");
  EXPECT_EQ(events.back().at("response").at("incomplete_details").at("reason"),
            "max_output_tokens");
}

TEST(ResponseStream, FailsWithWhatItHas) {
  const auto answer = make_response_answer(request_of(true), kIdentity, {});
  std::string out;
  answer->begin(out);
  feed(*answer, testing::delta("half"), out);
  answer->fail(at_capacity("there is no memory"), out);
  const std::vector<json::object> events = events_of(out);
  EXPECT_EQ(events.back().at("type"), "response.failed");
  const json::value& failed = events.back().at("response");
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_EQ(failed.at("error").at("code"), "server_is_overloaded");
  EXPECT_EQ(failed.at("output").at(0).at("status"), "incomplete");
  EXPECT_EQ(failed.at("output").at(0).at("content").at(0).at("text"), "half");
}

TEST(ResponseStream, IsKeptAliveByEvents) {
  const auto answer = make_response_answer(request_of(true), kIdentity, {});
  std::string out;
  answer->begin(out);
  answer->keep_alive(out);
  const std::vector<json::object> events = events_of(out);
  EXPECT_EQ(types_of(events), "created in_progress in_progress ");
}

TEST(ResponseAnswer, IsKeptBeforeItsEndIsTold) {
  for (const bool is_streamed : {false, true}) {
    std::string kept;
    std::string items;
    const KeepResponse keep = [&](const std::string& document, std::string output) {
      kept = document;
      items = std::move(output);
    };
    const std::string out = play(request_of(is_streamed), everything(), keep);
    EXPECT_NE(out.find(kept), std::string::npos);
    EXPECT_EQ(json::parse(items), json::parse(kept).at("output"));
  }
}

TEST(ResponseAnswer, CarriesWarnings) {
  const auto answer = make_response_answer(request_of(true), kIdentity, {});
  answer->warn("Tools stand in a preamble.");
  std::string out;
  answer->begin(out);
  answer->end(out);
  for (const json::object& event : events_of(out)) {
    if (!event.contains("response")) continue;
    EXPECT_EQ(event.at("response").at("warnings"),
              json::parse(R"(["Tools stand in a preamble."])"));
  }
}

}  // namespace
}  // namespace vernal::openai_http

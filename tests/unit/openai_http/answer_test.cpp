#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <set>
#include <string>

#include "mock_engine.hpp"
#include "openai_http/openai/chat_answer.hpp"
#include "openai_http/openai/completion_answer.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "raw_client.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::MockEvent;

const AnswerIdentity kIdentity{"chatcmpl-1", "tiny", 1700000000};

GenerationRequest request_of(bool is_streamed, std::uint32_t n = 1, std::size_t num_prompts = 1) {
  GenerationRequest request;
  request.is_streamed = is_streamed;
  request.num_choices = n;
  request.prompts.resize(num_prompts);
  return request;
}

void feed(Answer& answer, const MockEvent& event, std::string& out, std::size_t prompt = 0) {
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  answer.on_event(prompt, raw, out);
}

std::string play(Answer& answer, const std::vector<MockEvent>& events) {
  std::string out;
  answer.begin(out);
  for (const MockEvent& event : events) feed(answer, event, out);
  answer.end(out);
  return out;
}

/// The JSON of all chunks. Checks that only [DONE] follows them.
std::vector<json::object> chunks_of(const std::string& stream) {
  std::vector<std::string> data = testing::event_data(stream);
  EXPECT_EQ(data.back(), "[DONE]");
  data.pop_back();
  std::vector<json::object> chunks;
  for (const std::string& text : data) chunks.push_back(json::parse(text).as_object());
  return chunks;
}

std::vector<MockEvent> hello() { return testing::Script::hello().events; }

TEST(Warnings, StandInTheDocumentOrInTheFirstChunk) {
  const json::array expected = {"Tools stand in a preamble.", "The budget was cut."};
  for (const bool is_chat : {true, false}) {
    for (const bool is_streamed : {true, false}) {
      const GenerationRequest request = request_of(is_streamed);
      const auto answer = is_chat ? make_chat_answer(request, kIdentity)
                                  : make_completion_answer(request, kIdentity);
      answer->warn("Tools stand in a preamble.\nThe budget was cut.");
      answer->warn("The budget was cut.");
      answer->warn("");
      const std::string out = play(*answer, hello());
      if (!is_streamed) {
        EXPECT_EQ(json::parse(out).at("warnings"), expected);
        continue;
      }
      const std::vector<json::object> chunks = chunks_of(out);
      EXPECT_EQ(chunks.front().at("warnings"), expected);
      EXPECT_FALSE(chunks.back().contains("warnings"));
    }
  }
}

TEST(Warnings, AreAbsentWithoutAReason) {
  const auto answer = make_chat_answer(request_of(false), kIdentity);
  EXPECT_FALSE(json::parse(play(*answer, hello())).as_object().contains("warnings"));
}

MockEvent with_channel(MockEvent event, std::uint32_t channel) {
  event.channel = channel;
  return event;
}

MockEvent with_logprobs(MockEvent event) {
  event.positions = {{{"a", -0.1}, {"b", -2.0}, {"\xff", -INFINITY}}};
  return event;
}

MockEvent prompt_part(std::string text, std::vector<double> logprobs) {
  MockEvent event;
  event.type = VERNAL_EVENT_PROMPT;
  for (std::size_t i = 0; i < logprobs.size(); ++i) {
    const std::string bytes(1, text[i]);
    event.positions.push_back({{bytes, logprobs[i]}, {bytes, logprobs[i]}});
  }
  event.text = std::move(text);
  return event;
}

TEST(CompletionAnswer, EchoesThePromptBeforeItsAnswer) {
  for (const bool is_streamed : {false, true}) {
    GenerationRequest request = request_of(is_streamed, 2);
    request.wants_logprobs = true;
    request.num_alternatives = 1;
    const auto answer = make_completion_answer(request, kIdentity);
    MockEvent token = testing::delta("!");
    token.positions = {{{"!", -0.25}, {"!", -0.25}}};
    const std::string out =
        play(*answer, {testing::started(), prompt_part("ab", {NAN, -1.5}), prompt_part("c", {-2.0}),
                       token, testing::choice_finished(), testing::finished()});
    if (is_streamed) {
      std::string text;
      for (const json::object& chunk : chunks_of(out)) {
        const json::value& choice = chunk.at("choices").at(0);
        if (choice.at("index") == 1) text += choice.at("text").get_string();
      }
      EXPECT_EQ(text, "abc");
      continue;
    }
    const json::value document = json::parse(out);
    EXPECT_EQ(document.at("choices").at(1).at("text"), "abc");
    const json::value& choice = document.at("choices").at(0);
    EXPECT_EQ(choice.at("text"), "abc!");
    EXPECT_EQ(choice.at("logprobs"), json::parse(R"({"tokens":["a","b","c","!"],
        "token_logprobs":[null,-1.5,-2.0,-0.25],"text_offset":[0,1,2,3],
        "top_logprobs":[null,{"b":-1.5},{"c":-2.0},{"!":-0.25}]})"));
  }
}

TEST(CompletionAnswer, CountsOffsetsInTheTextThatWasSent) {
  GenerationRequest request = request_of(false);
  request.wants_logprobs = true;
  const auto offsets = [&](std::string_view sent, const std::vector<std::string>& tokens) {
    request.prompts[0].echoed = sent;
    MockEvent prompt = prompt_part("", {});
    for (const std::string& token : tokens) prompt.positions.push_back({{token, -1.0}});
    const auto answer = make_completion_answer(request, kIdentity);
    const json::value document =
        json::parse(play(*answer, {prompt, testing::choice_finished(), testing::finished()}));
    return document.at("choices").at(0).at("logprobs").at("text_offset");
  };
  EXPECT_EQ(offsets("one two", {"one", " two"}), json::parse("[0,3]"));
  EXPECT_EQ(offsets("one two", {"<bos>", "one", " two"}), json::parse("[0,0,3]"));
  EXPECT_EQ(offsets("one two", {"<s>", " one", " two"}), json::parse("[0,0,3]"));
  EXPECT_EQ(offsets("one two", {"<s>", " ", "one", " two"}), json::parse("[0,0,0,3]"));
  EXPECT_EQ(offsets(" one", {"<s>", " one", "."}), json::parse("[0,0,4]"));
  EXPECT_EQ(offsets("<s>one", {"<s>", "one", "."}), json::parse("[0,3,6]"));
  // The tokenizer may have put another text, of characters in a normal form, in its place.
  EXPECT_EQ(offsets("Ao\xCC\x88", {"<s>", "B", "c", "d"}), json::parse("[0,0,1,2]"));
  EXPECT_EQ(offsets("\xC3\xA9!", {"\xC3", "\xA9", "!"}), json::parse("[0,1,1]"));
}

TEST(CompletionAnswer, EchoesTheTextThatWasSent) {
  GenerationRequest request = request_of(false);
  request.prompts[0].echoed = "as sent";
  const auto answer = make_completion_answer(request, kIdentity);
  const std::string out = play(*answer, {prompt_part("<bos>as ", {}), prompt_part("sent", {}),
                                         testing::delta("!"), testing::finished()});
  EXPECT_EQ(json::parse(out).at("choices").at(0).at("text"), "as sent!");
}

TEST(Streams, TellTimingsAndProgressIfTheyAreAskedFor) {
  for (const bool is_chat : {true, false}) {
    GenerationRequest request = request_of(true);
    request.timings_per_token = true;
    request.reports_progress = true;
    const auto answer =
        is_chat ? make_chat_answer(request, kIdentity) : make_completion_answer(request, kIdentity);
    MockEvent start = testing::started(4);
    start.prompt_tokens = 10;
    MockEvent first = testing::delta("a");
    first.prompt_tokens = 10;
    first.cached_tokens = 4;
    first.completion_tokens = 1;
    MockEvent second = first;
    second.completion_tokens = 2;
    const auto chunks = chunks_of(play(*answer, {start, first, second, testing::finished()}));
    std::vector<const json::object*> told;
    for (const json::object& chunk : chunks) {
      if (chunk.contains("timings") || chunk.contains("prompt_progress")) told.push_back(&chunk);
    }
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0]->at("prompt_progress"),
              json::parse(R"({"total":10,"cache":4,"processed":4,"time_ms":2.0})"));
    EXPECT_EQ(told[1]->at("prompt_progress").at("processed"), 10);
    EXPECT_EQ(told[1]->at("timings").at("predicted_n"), 1);
    EXPECT_EQ(told[1]->at("timings").at("prompt_n"), 6);
    EXPECT_EQ(told[2]->at("timings").at("predicted_n"), 2);
    EXPECT_FALSE(told[2]->contains("prompt_progress"));
    const auto plain = is_chat ? make_chat_answer(request_of(true), kIdentity)
                               : make_completion_answer(request_of(true), kIdentity);
    for (const json::object& chunk : chunks_of(play(*plain, {start, first, testing::finished()}))) {
      EXPECT_FALSE(chunk.contains("timings") || chunk.contains("prompt_progress"));
    }
  }
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

TEST(Timings, CountWhatWasDecodedAfterTheFirstToken) {
  const auto speed = [](std::uint32_t n, std::uint64_t tokens) {
    const auto answer = make_chat_answer(request_of(false, n), kIdentity);
    const json::value document = json::parse(play(*answer, {testing::finished(10, tokens)}));
    return document.at("timings").at("predicted_per_second").to_number<double>();
  };
  EXPECT_EQ(speed(1, 0), 0.0);
  EXPECT_EQ(speed(1, 1), 0.0);
  EXPECT_EQ(speed(1, 5), 1000.0);
  EXPECT_EQ(speed(3, 7), 1000.0);
}

TEST(Timings, TellOfGuessesWhereThereWereSome) {
  const auto document = [](std::uint64_t guessed, std::uint64_t accepted) {
    testing::MockEvent end = testing::finished();
    end.draft_tokens = guessed;
    end.accepted_tokens = accepted;
    const auto answer = make_chat_answer(request_of(false), kIdentity);
    return json::parse(play(*answer, {testing::delta("a"), testing::choice_finished(), end}));
  };
  const json::value some = document(9, 7);
  EXPECT_EQ(some.at("timings").at("draft_n"), 9);
  EXPECT_EQ(some.at("timings").at("draft_n_accepted"), 7);
  const json::value& details = some.at("usage").at("completion_tokens_details");
  EXPECT_EQ(details.at("accepted_prediction_tokens"), 7);
  EXPECT_EQ(details.at("rejected_prediction_tokens"), 2);
  EXPECT_FALSE(document(0, 0).at("timings").as_object().contains("draft_n"));
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

TEST(CompletionDocument, NumbersChoicesPromptByPrompt) {
  const auto answer = make_completion_answer(request_of(false, 2, 2), kIdentity);
  std::string out;
  feed(*answer, testing::delta("c", 0), out, 1);
  feed(*answer, testing::delta("d", 1), out, 1);
  feed(*answer, testing::delta("a", 0), out, 0);
  feed(*answer, testing::choice_finished(VERNAL_FINISH_LENGTH, 1), out, 1);
  feed(*answer, testing::finished(), out, 0);
  feed(*answer, testing::finished(), out, 1);
  answer->end(out);
  const json::value document = json::parse(out);
  EXPECT_EQ(document.at("object"), "text_completion");
  EXPECT_EQ(document.at("choices").at(0).at("text"), "a");
  EXPECT_EQ(document.at("choices").at(2).at("text"), "c");
  EXPECT_EQ(document.at("choices").at(3).at("finish_reason"), "length");
  EXPECT_EQ(document.at("choices").at(3).at("index"), 3);
  EXPECT_EQ(document.at("usage").at("prompt_tokens"), 20);
}

TEST(CompletionDocument, KeepsEveryAlternative) {
  GenerationRequest request = request_of(false);
  request.wants_logprobs = true;
  request.num_alternatives = 5;
  MockEvent parts = testing::delta("x");
  parts.positions = {{{"\xE2\x82", -0.1}, {"\xE2\x83", -1}, {"\xFF", -2}, {"a", -3}, {"a", -4}}};
  MockEvent rest = testing::delta("y");
  rest.positions = {{{"\xAC", -0.1}}, {{"b", -0.1}}};
  const auto answer = make_completion_answer(request, kIdentity);
  const json::value document =
      json::parse(play(*answer, {parts, rest, testing::choice_finished(), testing::finished()}));
  const json::value& logprobs = document.at("choices").at(0).at("logprobs");
  EXPECT_EQ(logprobs.at("top_logprobs").at(0),
            json::parse(R"({"bytes:\\xe2\\x82":-0.1,"bytes:\\xe2\\x83":-1.0,"bytes:\\xff":-2.0,
                            "a":-3.0,"token_id:0":-4.0})"));
  EXPECT_EQ(logprobs.at("tokens"), json::parse(R"(["bytes:\\xe2\\x82","bytes:\\xac","b"])"));
  // A character in two tokens is one character of the text.
  EXPECT_EQ(logprobs.at("text_offset"), json::parse("[0,1,1]"));
}

TEST(CompletionStream, CarriesTextLogprobsAndUsage) {
  GenerationRequest request = request_of(true);
  request.wants_logprobs = true;
  request.num_alternatives = 2;
  request.include_usage = true;
  const auto answer = make_completion_answer(request, kIdentity);
  const auto chunks = chunks_of(
      play(*answer, {with_logprobs(testing::delta("a")), with_logprobs(testing::delta("a")),
                     testing::choice_finished(), testing::finished()}));
  ASSERT_EQ(chunks.size(), 4U);
  EXPECT_EQ(chunks[1].at("choices").at(0).at("logprobs"),
            json::parse(R"({"tokens":["a"],"token_logprobs":[-0.1],
                            "top_logprobs":[{"a":-0.1,"b":-2.0}],"text_offset":[1]})"));
  EXPECT_EQ(chunks[2].at("choices").at(0).at("finish_reason"), "stop");
  EXPECT_TRUE(chunks[3].at("choices").as_array().empty());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(chunks[i].at("usage").is_null());
  EXPECT_TRUE(chunks[3].at("usage").is_object());
}

TEST(ApiError, HasTheShapeOfEachDialect) {
  const ApiError error = unknown_model("x");
  EXPECT_EQ(json::parse(render_error(error, Dialect::kOpenAi, "req_1")),
            json::parse(R"({"error":{"message":"The model `x` does not exist on this server; GET )"
                        R"(/v1/models lists what does.","type":"invalid_request_error",)"
                        R"("param":"model","code":"model_not_found"}})"));
  const json::value anthropic = json::parse(render_error(error, Dialect::kAnthropic, "req_1"));
  EXPECT_EQ(anthropic.at("type"), "error");
  EXPECT_EQ(anthropic.at("error").at("type"), "not_found_error");
  EXPECT_EQ(anthropic.at("request_id"), "req_1");
}

TEST(ApiError, NamesMembersAsTheClientSentThem) {
  MockEvent event = testing::failed(VERNAL_INVALID_ARGUMENT,
                                    "Invalid value for 'sampling.logit_bias.99': expected an id.");
  event.param = "sampling.logit_bias.99";
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  EXPECT_EQ(error_of_event(raw, Dialect::kOpenAi).param, "logit_bias.99");
  EXPECT_EQ(error_of_event(raw, Dialect::kOpenAi).message,
            "Invalid value for 'logit_bias.99': expected an id.");
}

TEST(ApiError, NamesMembersAsTheApiOfTheClientCallsThem) {
  const auto param = [](const std::string& path, Dialect dialect, std::string_view format = {}) {
    MockEvent event = testing::failed(VERNAL_INVALID_ARGUMENT, "Invalid value for '" + path + "'.");
    event.param = path;
    testing::EventArrays arrays;
    vernal_event raw{};
    testing::to_abi(event, arrays, raw);
    const ApiError error = error_of_event(raw, dialect, format);
    EXPECT_EQ(error.message, "Invalid value for '" + error.param + "'.");
    return error.param;
  };
  EXPECT_EQ(param("format", Dialect::kOpenAi), "response_format");
  EXPECT_EQ(param("format", Dialect::kAnthropic), "output_config.format");
  EXPECT_EQ(param("format", Dialect::kOpenAi, "guided_regex"), "guided_regex");
  EXPECT_EQ(param("format.choices[1]", Dialect::kOpenAi, "guided_choice"), "guided_choice[1]");
  EXPECT_EQ(param("format.choices[1]", Dialect::kResponses), "text.format[1]");
  EXPECT_EQ(param("template_kwargs", Dialect::kOpenAi), "chat_template_kwargs");
  EXPECT_EQ(param("kind", Dialect::kNative), "model");
  EXPECT_EQ(param("stop", Dialect::kOpenAi), "stop");
  EXPECT_EQ(param("stop[3]", Dialect::kAnthropic), "stop_sequences[3]");
  EXPECT_EQ(param("sampling.top_p", Dialect::kAnthropic), "top_p");
  EXPECT_EQ(param("messages[2].content", Dialect::kOpenAi), "messages[2].content");
  EXPECT_EQ(param("messages[2].content", Dialect::kAnthropic), "messages");
}

TEST(ApiError, WordsAnOverflowForEachDialect) {
  MockEvent event = testing::failed(VERNAL_CONTEXT_OVERFLOW,
                                    "the engine's sentence about a prompt that is too long", 400);
  event.error_code = "context_length_exceeded";
  event.param = "prompt";
  event.prompt_tokens = 5000;
  event.context_length = 4096;
  testing::EventArrays arrays;
  vernal_event raw{};
  testing::to_abi(event, arrays, raw);
  const ApiError error = error_of_event(raw, Dialect::kOpenAi);
  EXPECT_EQ(error.status, 400U);
  const json::value openai = json::parse(render_error(error, Dialect::kOpenAi, ""));
  EXPECT_EQ(openai.at("error").at("code"), "context_length_exceeded");
  EXPECT_EQ(openai.at("error").at("message"), json::value(event.text));
  EXPECT_EQ(openai.at("error").at("param"), "prompt");
  const json::value anthropic = json::parse(render_error(error, Dialect::kAnthropic, ""));
  EXPECT_EQ(anthropic.at("error").at("message"), "prompt is too long: 5000 tokens > 4096 maximum");
}

}  // namespace
}  // namespace vernal::openai_http

// One event of the log for each request: at level info what made the engine work or was refused.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

class RequestLog : public HttpFrontend {
 protected:
  /// The only event of this level; it comes after the answer.
  json::object event_of(std::uint32_t level) {
    EXPECT_TRUE(eventually([&] { return !events_of(level).empty(); }));
    const std::vector<json::object> events = events_of(level);
    EXPECT_EQ(events.size(), 1U);
    return events.empty() ? json::object() : events.front();
  }
  std::vector<json::object> events_of(std::uint32_t level) const {
    std::vector<json::object> events;
    for (const std::string& text : engine_.logged(level)) {
      if (text.starts_with(R"({"event":"request")"))
        events.push_back(json::parse(text).as_object());
    }
    return events;
  }
};

/// What an event says that does not differ from run to run, without its times.
json::object without_times(json::object event) {
  for (const char* const key :
       {"id", "client", "queue_ms", "prefill_ms", "decode_ms", "total_ms"}) {
    event.erase(key);
  }
  return event;
}

TEST_F(RequestLog, TellsWhatAChatCost) {
  Script script = Script::hello();
  script.events.insert(script.events.begin() + 1, started());
  engine_.play(script);
  start();
  for (const char* const body : {kChat, kStream}) {
    const RawAnswer answer = post(kChatPath, body);
    const bool is_streamed = body == kStream;
    ASSERT_TRUE(eventually([&] { return events_of(VERNAL_LOG_INFO).size() == 1U + is_streamed; }));
    const json::object event = events_of(VERNAL_LOG_INFO).back();
    EXPECT_EQ(event.at("id"), json::value(answer.headers.at("x-request-id")));
    EXPECT_TRUE(event.at("client").as_string().starts_with("127.0.0.1:"));
    EXPECT_EQ(event.at("queue_ms").to_number<double>(), 1.0);
    EXPECT_EQ(event.at("prefill_ms").to_number<double>(), 2.0);
    EXPECT_EQ(event.at("decode_ms").to_number<double>(), 4.0);
    EXPECT_GE(event.at("total_ms").to_number<double>(), 0.0);
    json::object expected = json::parse(R"({"event":"request","model":"tiny","status":200,
        "endpoint":"POST /v1/chat/completions","prompt_tokens":10,"cached_tokens":4,
        "generated_tokens":2,"finish":"stop",
        "error":null})")
                                .as_object();
    expected["stream"] = is_streamed;
    EXPECT_EQ(without_times(event), expected);
  }
}

TEST_F(RequestLog, AddsUpPromptsAndChoices) {
  Script script = Script::hello();
  script.events.insert(script.events.end() - 1, choice_finished(VERNAL_FINISH_LENGTH, 1));
  engine_.play(script);
  start();
  post("/v1/completions", R"({"model":"tiny","prompt":["a","b"],"n":2})");
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("prompt_tokens"), 20);
  EXPECT_EQ(event.at("prefill_ms").to_number<double>(), 4.0);
  // In the order in which they come: the two prompts run side by side.
  const std::string finish(event.at("finish").as_string());
  EXPECT_TRUE(finish == "stop,length,stop,length" || finish == "stop,stop,length,length") << finish;
}

TEST_F(RequestLog, TellsWhatWasRefusedAndWhy) {
  start();
  post(kChatPath, R"({"model":"no such\nmodel","messages":[{"role":"user","content":"x"}]})");
  json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("status"), 404);
  EXPECT_EQ(event.at("error"), "model_not_found");
  EXPECT_EQ(event.at("model"), "no such?model");
  EXPECT_FALSE(event.contains("prompt_tokens"));
}

TEST_F(RequestLog, TellsHowLongAPromptWasThatDidNotFit) {
  Script script;
  script.events = {failed(VERNAL_CONTEXT_OVERFLOW, "the engine's sentence about the overflow")};
  script.events[0].prompt_tokens = 5000;
  engine_.play(script);
  start();
  EXPECT_EQ(post(kChatPath, kChat).status, 400);
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("error"), "context_length_exceeded");
  EXPECT_EQ(event.at("prompt_tokens"), 5000);
}

TEST_F(RequestLog, TellsOfARefusalBeforeTheRoute) {
  start();
  RawClient client(port());
  client.send("nonsense\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 400);
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("error"), "malformed_http");
  EXPECT_TRUE(event.at("endpoint").is_null());
}

TEST_F(RequestLog, TellsWhatWasAbandoned) {
  Script script = Script::endless(1ms);
  MockEvent token = delta("a");
  token.tokens = {7, 8, 9};
  script.events = {accepted(), started(), token};
  engine_.play(script);
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(client.wait_for("tick"));
  client.close();
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("status"), 200);
  EXPECT_EQ(event.at("error"), "client_left");
  EXPECT_EQ(event.at("prompt_tokens"), 10);
  EXPECT_EQ(event.at("cached_tokens"), 4);
  EXPECT_EQ(event.at("generated_tokens"), 3);
  EXPECT_TRUE(event.at("finish").is_null());
  EXPECT_GE(event.at("total_ms").to_number<double>(), event.at("decode_ms").to_number<double>());
}

// Most clients close when they have the last byte, often before the server has written its log.
TEST_F(RequestLog, AClientThatLeavesWithTheWholeAnswerHasNotLeft) {
  constexpr std::size_t kClients = 200;
  start();
  for (std::size_t i = 0; i < kClients; ++i) {
    RawClient client(port());
    client.send(request_text("POST", kChatPath, i % 2 == 0 ? kStream : kChat));
    EXPECT_TRUE(client.wait_for(i % 2 == 0 ? "[DONE]" : "}}"));
    client.close();
  }
  ASSERT_TRUE(eventually([&] { return events_of(VERNAL_LOG_INFO).size() == kClients; }));
  for (const json::object& event : events_of(VERNAL_LOG_INFO)) {
    EXPECT_TRUE(event.at("error").is_null()) << json::serialize(event);
  }
}

TEST_F(RequestLog, TellsOfAClientThatLeftBeforeItsAnswer) {
  engine_.play(Script::endless(1ms));
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kChat));
  EXPECT_TRUE(eventually([&] { return engine_.num_live() == 1; }));
  client.close();
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("status"), 499);
  EXPECT_EQ(event.at("error"), "client_left");
  EXPECT_EQ(event.at("model"), "tiny");
}

TEST_F(RequestLog, TellsOfAStreamThatBrokeOff) {
  Script script;
  script.events = {accepted(), delta("a"), failed(VERNAL_DEVICE_LOST, "the device was lost")};
  engine_.play(script);
  start();
  post(kChatPath, kStream);
  const json::object event = event_of(VERNAL_LOG_INFO);
  EXPECT_EQ(event.at("status"), 200);
  EXPECT_EQ(event.at("error"), "model_unavailable");
}

TEST_F(RequestLog, KeepsProbesOutOfTheWay) {
  start();
  for (const char* const path : {"/health", "/metrics", "/v1/models", "/", "/version"}) get(path);
  engine_.set_state(VERNAL_MODEL_LOADING);
  EXPECT_EQ(get("/health").status, 503);
  EXPECT_TRUE(eventually([&] { return events_of(VERNAL_LOG_DEBUG).size() == 6; }));
  EXPECT_TRUE(events_of(VERNAL_LOG_INFO).empty());
  get("/nope");
  EXPECT_EQ(event_of(VERNAL_LOG_INFO).at("status"), 404);
}

}  // namespace
}  // namespace vernal::openai_http::testing

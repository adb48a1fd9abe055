// POST /v1/messages over real sockets and a scripted engine.
#include <gtest/gtest.h>

#include <string>

#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

constexpr const char* kMessages = "/v1/messages";

std::string request_with(const std::string& members) {
  return R"({"model":"tiny","max_tokens":8,"messages":[{"role":"user","content":"hi"}])" +
         (members.empty() ? "" : "," + members) + "}";
}

TEST_F(HttpFrontend, AnswersAMessageOnEveryPath) {
  start();
  for (const char* const path : {"/v1/messages", "/v1/messages?beta=true", "/messages",
                                 "/anthropic/v1/messages", "/anthropic/messages"}) {
    const RawAnswer answer = post(path, request_with(""));
    ASSERT_EQ(answer.status, 200) << path;
    const json::value message = json::parse(answer.body);
    EXPECT_EQ(message.at("content").at(0).at("text"), "Hello");
    EXPECT_EQ(message.at("model"), "tiny");
    EXPECT_TRUE(message.at("id").as_string().starts_with("msg_"));
    EXPECT_EQ(answer.headers.count("request-id"), 1U);
  }
}

TEST_F(HttpFrontend, StreamsAMessage) {
  start();
  const RawAnswer answer = post(kMessages, request_with(R"("stream":true)"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  EXPECT_TRUE(answer.body.starts_with("event: message_start\ndata: {\"type\":\"message_start\""));
  EXPECT_TRUE(answer.body.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

TEST_F(HttpFrontend, BeginsAMessageBeforeTheFirstToken) {
  engine_.play(Script::endless(10s));
  start({{"keep_alive_interval", std::int64_t{50}}});
  RawClient client(port());
  client.send(request_text("POST", kMessages, request_with(R"("stream":true)")));
  EXPECT_TRUE(client.wait_for("event: message_start", 2s));
  EXPECT_TRUE(client.wait_for("event: ping\ndata: {\"type\":\"ping\"}\n\n", 5s));
}

TEST_F(HttpFrontend, WarnsOfWhatWasLeftOutOfAMessage) {
  start();
  const std::string body = request_with(
      R"("system":"x-anthropic-billing-header: cch=1;","tools":[{"type":"bash_20250124","name":"b"}])");
  const json::value message = json::parse(post(kMessages, body).body);
  EXPECT_EQ(message.at("warnings").as_array().size(), 2U);
}

TEST_F(HttpFrontend, RefusesAMessageInTheShapeOfItsApi) {
  start();
  const RawAnswer budget =
      post(kMessages, R"({"model":"tiny","messages":[{"role":"user","content":"hi"}]})");
  EXPECT_EQ(budget.status, 400);
  EXPECT_EQ(error_of(budget).at("type"), "invalid_request_error");
  EXPECT_EQ(json::parse(budget.body).at("type"), "error");
  EXPECT_NE(json::parse(budget.body).at("request_id").as_string().size(), 0U);
  const RawAnswer unknown = post(kMessages, R"({"model":"nope","max_tokens":1,"messages":[
      {"role":"user","content":"hi"}]})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("type"), "not_found_error");
}

TEST_F(HttpFrontend, TellsTheLengthOfAPromptThatIsTooLong) {
  MockEvent overflow =
      failed(VERNAL_CONTEXT_OVERFLOW, "This model's maximum context length is ...");
  overflow.error_code = "context_length_exceeded";
  overflow.prompt_tokens = 5000;
  overflow.context_length = 4096;
  Script script;
  script.events = {overflow};
  engine_.play(script);
  start();
  for (const char* const members : {"", R"("stream":true)"}) {
    const RawAnswer answer = post(kMessages, request_with(members));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(error_of(answer).at("message"), "prompt is too long: 5000 tokens > 4096 maximum");
  }
}

}  // namespace
}  // namespace vernal::openai_http::testing

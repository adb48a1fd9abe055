// The frontend as a client sees it, over real sockets and a scripted engine:
// answers, event streams, errors in them, clients that leave or do not read.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

TEST_F(HttpFrontend, AnswersAChat) {
  start();
  const RawAnswer answer = post(kChatPath, kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  const json::value document = json::parse(answer.body);
  EXPECT_EQ(document.at("choices").at(0).at("message").at("content"), "Hello");
  EXPECT_EQ(document.at("model"), "tiny");
  EXPECT_EQ(engine_.records().at(0).model, "tiny");
  EXPECT_TRUE(engine_.wait_until_idle(5s));
  EXPECT_EQ(engine_.num_cancelled(), 0U);
}

TEST_F(HttpFrontend, StreamsAChat) {
  start();
  const RawAnswer answer = post(kChatPath, kStream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(answer.headers.at("cache-control"), "no-cache");
  EXPECT_EQ(answer.headers.at("x-accel-buffering"), "no");
  const auto data = event_data(answer.body);
  EXPECT_EQ(data.size(), 5U);
  EXPECT_EQ(data.back(), "[DONE]");
}

TEST_F(HttpFrontend, SendsTheRoleBeforeTheFirstToken) {
  Script script = Script::endless(10s);
  engine_.play(script);
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(client.wait_for("\"role\":\"assistant\"", 2s));
}

TEST_F(HttpFrontend, AnswersCompletionsOfSeveralPrompts) {
  start();
  EXPECT_EQ(post("/v1/completions", R"({"model":"tiny","prompt":["a",[1,2]]})").status, 200);
  const RawAnswer two = post("/v1/completions", R"({"model":"tiny","prompt":["a","b"]})");
  const json::value document = json::parse(two.body);
  EXPECT_EQ(document.at("choices").as_array().size(), 2U);
  EXPECT_EQ(document.at("choices").at(1).at("text"), "Hello");
  EXPECT_EQ(document.at("usage").at("prompt_tokens"), 20);
  post("/v1/completions", R"({"model":"tiny","prompt":[5,6]})");
  EXPECT_EQ(engine_.records().back().tokens, (std::vector<std::int32_t>{5, 6}));
}

TEST_F(HttpFrontend, CountsTokens) {
  start();
  const std::string body = R"({"model":"tiny","messages":[{"role":"user","content":"hi"}]})";
  const RawAnswer answer = post("/v1/messages/count_tokens?beta=true", body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_GT(json::parse(answer.body).at("input_tokens").as_int64(), 0);
  const RawAnswer refused =
      post("/anthropic/v1/messages/count_tokens", R"({"model":"tiny","messages":[{"role":"user",)"
                                                  R"("content":"impossible"}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(error_of(refused).at("type"), "invalid_request_error");
  EXPECT_EQ(error_of(refused).at("message"), "the chat template refuses these messages");
}

TEST_F(HttpFrontend, TurnsRefusalsIntoStatusesBeforeTheStreamBegins) {
  start();
  const auto answer_to = [&](const Script& script) {
    engine_.play(script);
    const RawAnswer plain = post(kChatPath, kChat);
    const RawAnswer streamed = post(kChatPath, kStream);
    EXPECT_EQ(plain.status, streamed.status);
    EXPECT_EQ(streamed.headers.at("content-type"), "application/json");
    return plain;
  };
  Script script;
  script.submit_status = VERNAL_QUEUE_FULL;
  RawAnswer answer = answer_to(script);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.count("retry-after"), 1U);
  EXPECT_NE(std::string(error_of(answer).at("message").as_string()).find("at capacity"),
            std::string::npos);
  script.submit_status = VERNAL_UNAVAILABLE;
  script.submit_text = "the model tiny is loading, please wait a little";
  EXPECT_EQ(answer_to(script).status, 503);
  script.submit_status = VERNAL_NOT_FOUND;
  EXPECT_EQ(answer_to(script).status, 404);
  script = {};
  script.events = {failed(VERNAL_INVALID_ARGUMENT, "the template refuses a second system message")};
  EXPECT_EQ(answer_to(script).status, 400);
  script.events = {failed(VERNAL_INTERNAL, "something is broken, and it is our fault")};
  EXPECT_EQ(answer_to(script).status, 500);
  script.events = {
      failed(VERNAL_UNSUPPORTED, "Unsupported parameter: 'tool_choice' is not supported", 400)};
  script.events[0].error_code = "unsupported_parameter";
  script.events[0].param = "tool_choice";
  answer = answer_to(script);
  EXPECT_EQ(error_of(answer).at("param"), "tool_choice");
  EXPECT_EQ(error_of(answer).at("code"), "unsupported_parameter");
  EXPECT_TRUE(engine_.wait_until_idle(5s));
}

TEST_F(HttpFrontend, SaysLateErrorsInTheStreamAndInTheStatus) {
  Script script;
  script.events = {accepted(), delta("a"), failed(VERNAL_DEVICE_LOST, "the device was lost")};
  engine_.play(script);
  start();
  const RawAnswer streamed = post(kChatPath, kStream);
  EXPECT_EQ(streamed.status, 200);
  const auto data = event_data(streamed.body);
  EXPECT_TRUE(json::parse(data.back()).as_object().contains("error"));
  EXPECT_EQ(post(kChatPath, kChat).status, 503);
}

TEST_F(HttpFrontend, CancelsWhenAStreamingClientLeaves) {
  engine_.play(Script::endless(1ms));
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(client.wait_for("tick"));
  client.close();
  EXPECT_TRUE(engine_.wait_until_idle(1s));
  EXPECT_EQ(engine_.num_cancelled(), 1U);
  EXPECT_TRUE(eventually([&] { return frontend_->active() == 0; }));
}

TEST_F(HttpFrontend, CancelsWhenAWaitingClientLeaves) {
  Script queued;  // never accepted
  for (const Script& script : {Script::endless(1ms), queued}) {
    engine_.play(script);
    if (!frontend_) start();
    RawClient client(port());
    client.send(request_text("POST", kChatPath, kChat));
    EXPECT_TRUE(eventually([&] { return engine_.num_live() == 1; }));
    client.close();
    EXPECT_TRUE(engine_.wait_until_idle(1s));
  }
}

TEST_F(HttpFrontend, SendsEventsWithoutContentWhileNothingComes) {
  engine_.play(Script::endless(10s));
  start({{"keep_alive_interval", std::int64_t{50}}});
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(client.wait_for("{\"content\":\"\"}", 5s));
}

TEST_F(HttpFrontend, DropsAClientThatDoesNotRead) {
  Script flood = Script::endless(0ms);
  flood.events.push_back(delta(std::string(1'000'000, 'x')));
  for (int i = 0; i < 30; ++i) flood.events.push_back(flood.events[1]);
  engine_.play(flood);
  start({{"write_timeout", std::int64_t{300}}});
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(eventually([&] { return engine_.num_live() == 1; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_LT(engine_.num_produced(), 200U);  // the queue is full: the engine waits for the client
  EXPECT_TRUE(engine_.wait_until_idle(3s));
}

TEST_F(HttpFrontend, OneSlowReaderHarmsNobody) {
  Script flood = Script::endless(0ms);
  for (int i = 0; i < 30; ++i) flood.events.push_back(delta(std::string(1'000'000, 'x')));
  start();
  engine_.play(flood);
  RawClient slow(port());
  slow.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(eventually([&] { return engine_.num_live() == 1; }));
  engine_.play(Script::hello());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(post(kChatPath, kStream).status, 200);
  slow.close();
  EXPECT_TRUE(engine_.wait_until_idle(2s));
}

}  // namespace
}  // namespace vernal::openai_http::testing

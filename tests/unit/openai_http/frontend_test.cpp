// The frontend as a client sees it, over real sockets and a scripted engine.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "frontend_fixture.hpp"
#include "raw_client.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http::testing {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr const char* kChat = R"({"model":"tiny","messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kStream =
    R"({"model":"tiny","stream":true,"messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kChatPath = "/v1/chat/completions";

class HttpFrontend : public ::testing::Test {
 protected:
  /// Starts with these values of the table.
  void start(ConfigValues values = {}) {
    frontend_ = std::make_unique<RunningFrontend>(engine_, std::move(values));
  }
  std::uint16_t port() const { return frontend_->port(); }

  RawAnswer get(std::string_view path, std::string_view headers = {}) {
    return expect_answer(fetch(port(), "GET", path, {}, headers));
  }
  RawAnswer post(std::string_view path, std::string_view body, std::string_view headers = {}) {
    return expect_answer(fetch(port(), "POST", path, body, headers));
  }
  static RawAnswer expect_answer(const std::optional<RawAnswer>& answer) {
    EXPECT_TRUE(answer);
    return answer.value_or(RawAnswer{});
  }
  static json::value error_of(const RawAnswer& answer) {
    return json::parse(answer.body).at("error");
  }
  /// Waits until something holds; false after five seconds.
  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  }

  MockEngine engine_;
  std::unique_ptr<RunningFrontend> frontend_;
};

TEST_F(HttpFrontend, SaysWhereItListens) {
  start();
  EXPECT_EQ(frontend_->info(), "listening on http://127.0.0.1:" + std::to_string(port()));
}

TEST_F(HttpFrontend, RefusesAnAddressInUse) {
  start();
  try {
    const RunningFrontend second(engine_, {{"listen", "127.0.0.1:" + std::to_string(port())}});
    FAIL() << "two frontends on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_UNAVAILABLE);
    EXPECT_NE(std::string(error.what()).find("in use"), std::string::npos) << error.what();
  }
}

TEST_F(HttpFrontend, RefusesAListenAddressThatIsNone) {
  EXPECT_THROW(start({{"listen", "nonsense"}}), Error);
}

TEST_F(HttpFrontend, ListsModels) {
  start();
  for (const char* const path : {"/v1/models", "/models", "/anthropic/v1/models"}) {
    const RawAnswer answer = get(path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(json::parse(answer.body).at("data").at(0).at("context_length"), 4096);
  }
}

TEST_F(HttpFrontend, FindsOneModelByItsWholeName) {
  start();
  EXPECT_EQ(get("/v1/models/tiny").status, 200);
  EXPECT_EQ(get("/v1/models/org/other:1").status, 200);
  EXPECT_EQ(get("/v1/models/org%2Fother%3A1").status, 200);
  const RawAnswer unknown = get("/v1/models/nope");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("code"), "model_not_found");
}

TEST_F(HttpFrontend, ShowsOnlyTheModelsOfItsTable) {
  start({{"models", std::vector<std::string>{"tiny"}}});
  EXPECT_EQ(json::parse(get("/v1/models").body).at("data").as_array().size(), 1U);
  const RawAnswer hidden =
      post(kChatPath, R"({"model":"org/other:1","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(hidden.status, 404);
  const RawAnswer unnamed = post(kChatPath, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(unnamed.status, 200);
}

TEST_F(HttpFrontend, TellsItsHealth) {
  start();
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_EQ(json::parse(get("/health").body).at("status"), "ok");
  engine_.set_state(VERNAL_MODEL_LOADING);
  EXPECT_EQ(get("/health").status, 503);
  EXPECT_EQ(get("/health").headers.at("retry-after"), "2");
}

TEST_F(HttpFrontend, WritesMetrics) {
  start();
  const RawAnswer answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("vernal_requests_running{model=\"tiny\"} 0\n"), std::string::npos);
  EXPECT_NE(answer.body.find("vernal_http_connections "), std::string::npos);
}

TEST_F(HttpFrontend, AnswersForeignProbesWith404) {
  start();
  for (const char* const path : {"/api/v1/models", "/api/tags", "/v1/nope", "/", "/props"}) {
    const RawAnswer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(error_of(answer).at("code"), "unknown_url");
  }
  EXPECT_EQ(post("/v1/no/such/path", "{}").status, 404);
  EXPECT_EQ(post("/v1/models", "{}").status, 405);
}

TEST_F(HttpFrontend, PutsRequestIdsAndCorsOnEveryAnswer) {
  start();
  for (const RawAnswer& answer :
       {get("/health"), get("/nope"), post(kChatPath, "{"), post(kChatPath, kStream)}) {
    EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "*");
    EXPECT_FALSE(answer.headers.at("x-request-id").empty());
    EXPECT_EQ(answer.headers.at("x-request-id"), answer.headers.at("request-id"));
  }
}

TEST_F(HttpFrontend, AnswersPreflights) {
  start();
  const RawAnswer answer =
      expect_answer(fetch(port(), "OPTIONS", kChatPath, {},
                          "Origin: http://a\r\nAccess-Control-Request-Method: POST\r\n"
                          "Access-Control-Request-Headers: authorization,x-any\r\n"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("access-control-allow-headers"), "authorization,x-any");
  EXPECT_NE(answer.headers.at("access-control-allow-methods").find("POST"), std::string::npos);
}

TEST_F(HttpFrontend, AsksForAKeyWhereOneIsSet) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("vernal_http_keys_" + std::to_string(getpid()));
  std::ofstream(path) << "secret\n";
  start({{"api_keys_file", path}});
  std::filesystem::remove(path);
  EXPECT_EQ(get("/v1/models").status, 401);
  EXPECT_EQ(get("/v1/models", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(get("/v1/models", "Authorization: Basic secret\r\n").status, 401);
  EXPECT_EQ(get("/v1/models", "Authorization: bearer secret\r\n").status, 200);
  EXPECT_EQ(get("/v1/models", "x-api-key: secret\r\n").status, 200);
  EXPECT_EQ(get("/nope").status, 401);
  EXPECT_EQ(get("/health").status, 200);
  const RawAnswer anthropic = post("/v1/messages/count_tokens", "{}");
  EXPECT_EQ(error_of(anthropic).at("type"), "authentication_error");
}

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

TEST_F(HttpFrontend, ServesRequestsOnOneConnectionInOrder) {
  start();
  RawClient client(port());
  const std::string requests =
      request_text("POST", kChatPath, kStream) + request_text("GET", "/v1/models/tiny") +
      request_text("POST", kChatPath, kChat) + request_text("GET", "/health");
  client.send(requests);
  EXPECT_EQ(client.read_answer()->headers.at("content-type"), "text/event-stream");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("id"), "tiny");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("object"), "chat.completion");
  EXPECT_EQ(json::parse(client.read_answer()->body).at("status"), "ok");
}

TEST_F(HttpFrontend, KeepsTheConnectionAfterAnErrorInTheBody) {
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, "{broken"));
  EXPECT_EQ(client.read_answer()->status, 400);
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.read_answer()->status, 200);
}

TEST_F(HttpFrontend, TakesChunkedBodies) {
  start();
  RawClient client(port());
  const std::string body = kChat;
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : body) client.send(std::string("1;x=y\r\n") + c + "\r\n");
  client.send("0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 200);
  client.send(request_text("GET", "/health"));
  EXPECT_EQ(client.read_answer()->status, 200);
}

TEST_F(HttpFrontend, AnswersExpectationsBeforeTheBody) {
  start();
  RawClient client(port());
  client.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(std::string(kChat).size()) + "\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 100);
  client.send(kChat);
  EXPECT_EQ(client.read_answer()->status, 200);
  client.send(
      "POST /nope HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 404);
  EXPECT_TRUE(client.is_closed_within(5s));
}

TEST_F(HttpFrontend, SpeaksHttp10) {
  start();
  RawClient client(port());
  client.send("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.read_answer()->headers.at("connection"), "close");
  EXPECT_TRUE(client.is_closed_within(5s));
  RawClient streaming(port());
  const std::string body = kStream;
  streaming.send(
      "POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(streaming.wait_for("data: [DONE]\n\n"));
  EXPECT_EQ(streaming.buffered().find("chunked"), std::string::npos);
  EXPECT_TRUE(streaming.is_closed_within(5s));
}

TEST_F(HttpFrontend, AnswersHeadWithoutABody) {
  start();
  RawClient client(port());
  client.send(request_text("HEAD", "/v1/models") + request_text("GET", "/health"));
  EXPECT_TRUE(client.wait_for("{\"status\":\"ok\"}"));
  EXPECT_EQ(client.buffered().find("\"object\""), std::string::npos);
}

TEST_F(HttpFrontend, TakesLargeBodiesElsewhere) {
  start();
  std::string content(1'000'000, 'x');
  const RawAnswer answer = post(
      kChatPath, R"({"model":"tiny","messages":[{"role":"user","content":")" + content + "\"}]}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_GT(engine_.records().at(0).document.size(), content.size());
}

TEST_F(HttpFrontend, RefusesBodiesThatAreTooLarge) {
  start({{"max_body", std::int64_t{2000}}});
  const RawAnswer declared = post(kChatPath, std::string(3000, 'x'));
  EXPECT_EQ(declared.status, 413);
  RawClient chunked(port());
  chunked.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunked.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(chunked.read_answer()->status, 413);
  EXPECT_TRUE(chunked.is_closed_within(5s));
}

TEST_F(HttpFrontend, ClosesConnectionsThatStayIdle) {
  start({{"idle_timeout", std::int64_t{100}}});
  RawClient client(port());
  EXPECT_TRUE(client.is_closed_within(2s));
}

TEST_F(HttpFrontend, GivesSlowHeadsAndBodiesALimit) {
  start({{"header_timeout", std::int64_t{200}}, {"body_timeout", std::int64_t{200}}});
  RawClient head(port());
  head.send("GET / HT");
  EXPECT_EQ(head.read_answer(2s)->status, 408);
  RawClient body(port());
  body.send("POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(body.read_answer(2s)->status, 408);
  EXPECT_TRUE(body.is_closed_within(5s));
}

TEST_F(HttpFrontend, AnswersConnectionsBeyondItsLimitWith503) {
  start({{"max_connections", std::int64_t{2}}});
  RawClient first(port());
  RawClient second(port());
  first.send(request_text("GET", "/health"));
  EXPECT_EQ(first.read_answer()->status, 200);
  second.send(request_text("GET", "/health"));
  EXPECT_EQ(second.read_answer()->status, 200);
  RawClient third(port());
  const auto refused = third.read_answer();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.count("retry-after"), 1U);
  first.close();
  EXPECT_TRUE(eventually([&] {
    const auto answer = fetch(port(), "GET", "/health");
    return answer && answer->status == 200;
  }));
}

TEST_F(HttpFrontend, DrainsWithoutLosingWhatRuns) {
  Script slow = Script::hello();
  slow.interval = 100ms;
  engine_.play(slow);
  start();
  RawClient running(port());
  running.send(request_text("POST", kChatPath, kStream));
  EXPECT_TRUE(running.wait_for("assistant"));
  RawClient kept(port());
  kept.send(request_text("GET", "/v1/models"));
  EXPECT_EQ(kept.read_answer()->status, 200);
  frontend_->begin_drain();
  EXPECT_TRUE(eventually([&] { return frontend_->active() == 1; }));
  kept.send(request_text("POST", kChatPath, kChat));
  const auto refused = kept.read_answer();
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.at("connection"), "close");
  EXPECT_TRUE(eventually([&] {
    try {
      const RawClient late(port());
      return false;
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  EXPECT_TRUE(running.wait_for("[DONE]"));
  EXPECT_TRUE(eventually([&] { return frontend_->active() == 0; }));
}

TEST_F(HttpFrontend, StopEndsStreamsWithAnEvent) {
  engine_.play(Script::endless(1ms));
  start();
  RawClient client(port());
  client.send(request_text("POST", kChatPath, kStream));
  RawClient waiting(port());
  waiting.send(request_text("POST", kChatPath, kChat));
  const RawClient idle(port());
  EXPECT_TRUE(client.wait_for("tick"));
  EXPECT_TRUE(eventually([&] { return engine_.num_live() == 2; }));
  const auto begin = std::chrono::steady_clock::now();
  frontend_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_TRUE(client.wait_for("\"error\""));
  EXPECT_EQ(waiting.read_answer()->status, 503);
  EXPECT_EQ(engine_.num_live(), 0U);
}

std::size_t count_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST_F(HttpFrontend, LeavesNoDescriptorBehind) {
  const std::size_t before = count_descriptors();
  for (int i = 0; i < 20; ++i) {
    start();
    EXPECT_EQ(get("/health").status, 200);
    const RawClient idle(port());
    frontend_.reset();
  }
  EXPECT_EQ(count_descriptors(), before);
}

}  // namespace
}  // namespace vernal::openai_http::testing

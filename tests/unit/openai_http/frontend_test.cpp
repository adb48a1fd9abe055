// The frontend as a client sees it, over real sockets and a scripted engine:
// what it listens on, lists and tells, whom it lets in, how it ends.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "http_frontend.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http::testing {
namespace {

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

// The engine of these tests has a profile "claude-*" beside its models.
TEST_F(HttpFrontend, AnswersToNamesThatAPatternStandsFor) {
  start();
  const RawAnswer chat =
      post(kChatPath, R"({"model":"claude-opus-4","messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(json::parse(chat.body).at("model"), "claude-opus-4");
  EXPECT_EQ(engine_.records().back().model, "claude-*");
  EXPECT_EQ(json::parse(get("/v1/models/claude-opus-4").body).at("id"), "claude-opus-4");
  EXPECT_EQ(get("/v1/models/claud").status, 404);
  EXPECT_EQ(get("/v1/models").body.find("claude"), std::string::npos);
  EXPECT_EQ(get("/props?model=claude-opus-4").status, 200);
}

TEST_F(HttpFrontend, ShowsNoPatternThatItsTableDoesNotHave) {
  start({{"models", std::vector<std::string>{"tiny"}}});
  EXPECT_EQ(get("/v1/models/claude-opus-4").status, 404);
  frontend_.reset();
  start({{"models", std::vector<std::string>{"claude-*"}}});
  EXPECT_EQ(get("/v1/models/claude-opus-4").status, 200);
  EXPECT_TRUE(json::parse(get("/v1/models").body).at("data").as_array().empty());
  EXPECT_EQ(post(kChatPath, R"({"messages":[{"role":"user","content":"x"}]})").status, 400);
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
  for (const char* const path : {"/api/v1/models", "/api/tags", "/v1/nope", "/v1/health",
                                 "/v1/models/", "/anthropic", "/anthropicx/v1/models"}) {
    const RawAnswer answer = get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(error_of(answer).at("code"), "unknown_url");
  }
  EXPECT_EQ(post("/v1/no/such/path", "{}").status, 404);
}

TEST_F(HttpFrontend, ListsTheEndpointsWhereAPathIsUnknown) {
  start();
  const RawAnswer answer = get("/v1/nope");
  for (const char* const endpoint :
       {"GET /health", "GET /v1/models/{id}", "GET /version", "POST /v1/chat/completions",
        "POST /v1/messages/count_tokens"}) {
    EXPECT_NE(answer.body.find(endpoint), std::string::npos) << endpoint;
  }
}

TEST_F(HttpFrontend, SaysWhichMethodsAPathTakes) {
  start();
  const RawAnswer models = post("/v1/models", "{}");
  EXPECT_EQ(models.status, 405);
  EXPECT_EQ(models.headers.at("allow"), "GET, HEAD, OPTIONS");
  const RawAnswer chat = get(kChatPath);
  EXPECT_EQ(chat.status, 405);
  EXPECT_EQ(chat.headers.at("allow"), "POST, OPTIONS");
}

TEST_F(HttpFrontend, AnswersWhoLooksWhatItIs) {
  start();
  const json::value root = json::parse(get("/").body);
  EXPECT_EQ(root.at("name"), "vernal");
  EXPECT_NE(root.at("endpoints").as_string().find("POST /v1/completions"), std::string::npos);
  EXPECT_EQ(json::parse(get("/version").body).at("version"), root.at("version"));
  engine_.set_state(VERNAL_MODEL_LOADING);
  for (const char* const path : {"/health", "/healthz", "/ping"}) EXPECT_EQ(get(path).status, 503);
  engine_.set_state(VERNAL_MODEL_READY);
  for (const char* const path : {"/health", "/healthz", "/ping"}) EXPECT_EQ(get(path).status, 200);
}

TEST_F(HttpFrontend, KnowsPathsWithoutTheirVersion) {
  start();
  EXPECT_EQ(post("/chat/completions", kChat).status, 200);
  EXPECT_EQ(post("/completions", R"({"model":"tiny","prompt":"a"})").status, 200);
  EXPECT_EQ(get("/models/org/other:1").status, 200);
  EXPECT_EQ(get("/anthropic/models").status, 200);
}

// The endpoint says whose errors it has; where both APIs have it, the client does.
TEST_F(HttpFrontend, SpeaksTheDialectOfTheEndpoint) {
  start();
  const auto is_anthropic = [](const RawAnswer& answer) {
    return json::parse(answer.body).as_object().contains("type");
  };
  const std::string version = "anthropic-version: 2023-06-01\r\n";
  EXPECT_TRUE(is_anthropic(post("/v1/messages/count_tokens", "{}")));
  EXPECT_TRUE(is_anthropic(get("/v1/messages/count_tokens")));
  EXPECT_FALSE(is_anthropic(post(kChatPath, "{}", version)));
  EXPECT_FALSE(is_anthropic(post("/anthropic/v1/chat/completions", "{}")));
  EXPECT_TRUE(is_anthropic(get("/v1/models/nope", version)));
  EXPECT_FALSE(is_anthropic(get("/v1/models/nope")));
  EXPECT_TRUE(is_anthropic(get("/anthropic/v1/models/nope")));
  EXPECT_TRUE(is_anthropic(post("/v1/messages", "{}", version)));
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
  const RawAnswer missing = get("/v1/models");
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(error_of(missing).at("code"), "missing_api_key");
  EXPECT_NE(missing.body.find("No API key was sent"), std::string::npos);
  const RawAnswer wrong = get("/v1/models", "Authorization: Bearer wrong\r\n");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(error_of(wrong).at("code"), "invalid_api_key");
  EXPECT_EQ(error_of(get("/v1/models", "x-api-key: wrong\r\n")).at("code"), "invalid_api_key");
  EXPECT_EQ(get("/v1/models", "Authorization: Basic secret\r\n").status, 401);
  EXPECT_EQ(get("/v1/models", "Authorization: bearer secret\r\n").status, 200);
  EXPECT_EQ(get("/v1/models", "x-api-key: secret\r\n").status, 200);
  EXPECT_EQ(get("/nope").status, 401);
  EXPECT_EQ(get("/health").status, 200);
  const RawAnswer anthropic = post("/v1/messages/count_tokens", "{}");
  EXPECT_EQ(error_of(anthropic).at("type"), "authentication_error");
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

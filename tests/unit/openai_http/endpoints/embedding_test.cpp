// POST /v1/embeddings and POST /embedding, and the metrics of routes.
#include "openai_http/openai/embedding_answer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

Script embedding_script() {
  MockEvent vector;
  vector.type = VERNAL_EVENT_EMBEDDING;
  vector.embedding = {3.0F, 0.0F, -4.0F};
  Script script;
  script.events = {accepted(), vector, finished()};
  return script;
}

TEST_F(HttpFrontend, EmbedsTextsAndTokens) {
  engine_.play(embedding_script());
  start();
  const RawAnswer answer = post("/v1/embeddings", R"({"model":"tiny","input":["a","b"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::value document = json::parse(answer.body);
  EXPECT_EQ(document.at("object"), "list");
  ASSERT_EQ(document.at("data").as_array().size(), 2U);
  EXPECT_EQ(document.at("data").at(1).at("index"), 1);
  EXPECT_NEAR(document.at("data").at(0).at("embedding").at(2).to_number<double>(), -0.8, 1e-6);
  EXPECT_GT(document.at("usage").at("total_tokens").to_number<int>(), 0);
  EXPECT_EQ(json::parse(engine_.records().at(0).document).at("kind"), "embed");
  post("/v1/embeddings", R"({"model":"tiny","input":[5,6]})");
  EXPECT_EQ(engine_.records().back().tokens, (std::vector<std::int32_t>{5, 6}));
  for (const char* const input : {"1", "[]", "{}", "[[]]", "[null]"}) {
    const std::string body = std::string(R"({"model":"tiny","input":)") + input + "}";
    EXPECT_EQ(post("/v1/embeddings", body).status, 400) << input;
  }
  EXPECT_EQ(post("/v1/embeddings", R"({"model":"tiny","input":"a","dimensions":2})").status, 400);
}

TEST_F(HttpFrontend, EmbedsMoreInputsThanGoIntoTheEngineAtOnce) {
  engine_.play(embedding_script());
  start();
  std::string input;
  for (int i = 0; i < 300; ++i) input += i == 0 ? "\"a\"" : ",\"a\"";
  const RawAnswer answer = post("/v1/embeddings", R"({"model":"tiny","input":[)" + input + "]}");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body).at("data").as_array().size(), 300U);
  EXPECT_TRUE(engine_.wait_until_idle(5s));
}

TEST_F(HttpFrontend, EmbedsInBase64AndInTheNativeShape) {
  engine_.play(embedding_script());
  start();
  const RawAnswer coded =
      post("/v1/embeddings", R"({"model":"tiny","input":"a","encoding_format":"base64"})");
  constexpr std::array expected = {0.6F, 0.0F, -0.8F};
  EXPECT_EQ(json::parse(coded.body).at("data").at(0).at("embedding"),
            json::value(base64_of(expected)));
  const RawAnswer native =
      post("/embedding", R"({"model":"tiny","content":"a","embd_normalize":-1})");
  EXPECT_EQ(json::parse(native.body), json::parse(R"([{"index":0,"embedding":[[3E0,0E0,-4E0]]}])"));
}

TEST(Base64, IsLittleEndianAndPadded) {
  EXPECT_EQ(base64_of({}), "");
  constexpr std::array one = {1.0F};
  EXPECT_EQ(base64_of(one), "AACAPw==");
}

TEST_F(HttpFrontend, CountsRequestsByRouteAndStatus) {
  start();
  post(kChatPath, kChat);
  post(kChatPath, "{");
  get("/v1/models/nobody");
  get("/nowhere");
  const auto has = [&](const char* line) {
    return get("/metrics").body.find(line) != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] {
    return has(
        "vernal_http_requests_total{method=\"POST\",route=\"/v1/chat/completions\","
        "status=\"200\"} 1\n");
  }));
  EXPECT_TRUE(has("route=\"/v1/chat/completions\",status=\"400\"} 1\n"));
  EXPECT_TRUE(has("route=\"/v1/models/{id}\",status=\"404\"} 1\n"));
  EXPECT_TRUE(has("route=\"other\",status=\"404\"} 1\n"));
  EXPECT_TRUE(has("vernal_build_info{version="));
  EXPECT_TRUE(has("process_resident_memory_bytes "));
  EXPECT_TRUE(has("process_start_time_seconds "));
}

}  // namespace
}  // namespace vernal::openai_http::testing

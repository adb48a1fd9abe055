// Tokens, templates, counts and facts, in the shapes of llama-server's native API.
#include <gtest/gtest.h>

#include <string>

#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

json::value body_of(const RawAnswer& answer) { return json::parse(answer.body); }

TEST_F(HttpFrontend, TokenizesTextWithAndWithoutPieces) {
  start();
  RawAnswer answer = post("/tokenize", R"({"model":"tiny","content":"Aé"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"tokens":[65,195,169]})");
  answer =
      post("/tokenize", R"({"model":"tiny","content":"Aé","with_pieces":true,"add_special":true})");
  EXPECT_EQ(answer.body, R"({"tokens":[{"id":256,"piece":""},{"id":65,"piece":"A"},)"
                         R"({"id":195,"piece":[195]},{"id":169,"piece":[169]}]})");
  EXPECT_EQ(post("/tokenize", R"({"model":"tiny"})").body, R"({"tokens":[]})");
  EXPECT_EQ(post("/tokenize", R"({"model":"tiny","content":["A",[66]]})").status, 400);
  EXPECT_EQ(post("/tokenize", R"({"model":"tiny","content":[7,"A",66]})").body,
            R"({"tokens":[7,65,66]})");
}

TEST_F(HttpFrontend, DetokenizesAndRefusesUnknownIds) {
  start();
  EXPECT_EQ(post("/detokenize", R"({"model":"tiny","tokens":[72,105]})").body,
            R"({"content":"Hi"})");
  EXPECT_EQ(post("/detokenize", R"({"model":"tiny"})").body, R"({"content":""})");
  const RawAnswer refused = post("/detokenize", R"({"model":"tiny","tokens":[70000]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(error_of(refused).at("code"), 400);
  EXPECT_EQ(error_of(refused).at("type"), "invalid_request_error");
  EXPECT_EQ(post("/detokenize", R"({"model":"tiny","tokens":["a"]})").status, 400);
  EXPECT_EQ(post("/detokenize", R"({"model":"tiny","tokens":[-1]})").status, 400);
}

TEST_F(HttpFrontend, AppliesTheTemplateToAChatRequest) {
  start();
  const RawAnswer answer = post("/apply-template", kChat);
  EXPECT_EQ(answer.status, 200);
  const json::value prompt = json::parse(body_of(answer).at("prompt").as_string());
  EXPECT_EQ(prompt.at("messages").at(0).at("role"), "user");
  EXPECT_EQ(post("/apply-template", R"({"messages":[]})").status, 400);
}

TEST_F(HttpFrontend, CountsTheTokensOfAChatRequest) {
  start();
  const RawAnswer answer = post("/v1/chat/completions/input_tokens", kChat);
  EXPECT_EQ(answer.status, 200);
  EXPECT_GT(body_of(answer).at("input_tokens").as_int64(), 0);
  EXPECT_EQ(post("/chat/completions/input_tokens", kChat).status, 200);
}

TEST_F(HttpFrontend, TellsWhatTheModelIs) {
  start();
  const json::value props = body_of(get("/props?model=tiny"));
  EXPECT_EQ(props.at("default_generation_settings").at("n_ctx"), 4096);
  EXPECT_EQ(props.at("default_generation_settings").at("params").at("top_k"), 20);
  EXPECT_EQ(props.at("total_slots"), 2);
  EXPECT_EQ(props.at("bos_token"), "<s>");
  EXPECT_EQ(props.at("chat_template"), "{{ messages }}");
  EXPECT_EQ(get("/props?model=org%2Fother:1").status, 200);
  EXPECT_EQ(get("/props").status, 200);
  EXPECT_EQ(get("/props?model=nobody").status, 404);
  EXPECT_EQ(post("/props", "{}").status, 405);
}

TEST_F(HttpFrontend, ListsTheSlots) {
  start();
  const json::value slots = body_of(get("/slots?model=tiny"));
  ASSERT_EQ(slots.as_array().size(), 2U);
  EXPECT_EQ(slots.at(0).at("id"), 0);
  EXPECT_EQ(slots.at(0).at("is_processing"), false);
  EXPECT_EQ(slots.at(1).at("is_processing"), true);
  EXPECT_EQ(slots.at(1).at("next_token").at(0).at("n_remain"), 13);
}

TEST_F(HttpFrontend, TakesAliasesOfAModelAndListsThem) {
  start();
  EXPECT_EQ(post(kChatPath, R"({"model":"other name","messages":[{"role":"user","content":"a"}]})")
                .status,
            200);
  EXPECT_EQ(engine_.records().back().model, "tiny");
  const json::value listed = body_of(get("/v1/models"));
  EXPECT_EQ(listed.at("data").at(0).at("aliases"), (json::array{"small", "other name"}));
  EXPECT_EQ(get("/v1/models/small").status, 200);
}

TEST_F(HttpFrontend, AnswersToAnyNameIfTheDeploymentSaysSo) {
  start({{"accept_any_model", std::int64_t{1}}});
  EXPECT_EQ(
      post(kChatPath, R"({"model":"gpt-4","messages":[{"role":"user","content":"a"}]})").status,
      200);
  EXPECT_EQ(engine_.records().back().model, "tiny");
}

TEST_F(HttpFrontend, IsNotTakenForAnotherServer) {
  start();
  for (const char* const path : {"/api/v1/models", "/api/tags", "/v1/api/tags"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(body_of(get("/v1/models")).at("data").at(0).at("owned_by"), "vernal");
}

}  // namespace
}  // namespace vernal::openai_http::testing

// POST /completion and POST /infill, the endpoints of llama-server that generate.
#include <gtest/gtest.h>

#include <string>

#include "unit/openai_http/http_frontend.hpp"

namespace vernal::openai_http::testing {
namespace {

json::value body_of(const RawAnswer& answer) { return json::parse(answer.body); }

json::value sent_document(const MockEngine& engine) {
  return json::parse(engine.records().back().document);
}

TEST_F(HttpFrontend, CompletesAPromptInTheNativeShape) {
  start();
  const RawAnswer answer = post("/completion", R"({"model":"tiny","prompt":"A","n_predict":5})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::value document = body_of(answer);
  EXPECT_EQ(document.at("content"), "Hello");
  EXPECT_EQ(document.at("stop"), true);
  EXPECT_EQ(document.at("stop_type"), "eos");
  EXPECT_EQ(document.at("prompt"), "A");
  EXPECT_EQ(document.at("tokens"), json::array());
  EXPECT_EQ(document.at("generation_settings").at("n_predict"), 5);
  EXPECT_EQ(document.at("generation_settings").at("top_k"), 20);
  EXPECT_EQ(document.at("tokens_evaluated"), 10);
  EXPECT_TRUE(document.at("timings").as_object().contains("predicted_per_token_ms"));
  EXPECT_EQ(sent_document(engine_).at("max_tokens"), 5);
  EXPECT_EQ(sent_document(engine_).at("prompt"), "A");
}

TEST_F(HttpFrontend, StreamsInTheNativeShapeAndEndsWithStop) {
  start();
  const RawAnswer answer = post(
      "/completion", R"({"model":"tiny","prompt":"A","stream":true,"timings_per_token":true})");
  EXPECT_EQ(answer.headers.at("content-type"), "text/event-stream");
  const auto data = event_data(answer.body);
  ASSERT_GE(data.size(), 2U);
  const json::value first = json::parse(data.front());
  EXPECT_EQ(first.at("stop"), false);
  EXPECT_FALSE(first.at("content").as_string().empty());
  EXPECT_TRUE(first.as_object().contains("timings"));
  const json::value last = json::parse(data.back());
  EXPECT_EQ(last.at("stop"), true);
  EXPECT_EQ(last.at("content"), "");
  EXPECT_EQ(last.at("model"), "tiny");
}

TEST_F(HttpFrontend, TakesPromptsOfTokensAndMixedOnesAndLists) {
  start();
  EXPECT_EQ(post("/completion", R"({"model":"tiny","prompt":[5,6]})").status, 200);
  EXPECT_EQ(engine_.records().back().tokens, (std::vector<std::int32_t>{5, 6}));
  EXPECT_EQ(post("/completion", R"({"model":"tiny","prompt":["A",5,"B"]})").status, 200);
  EXPECT_EQ(engine_.records().back().tokens, (std::vector<std::int32_t>{256, 65, 5, 66}));
  const RawAnswer several = post("/completion", R"({"model":"tiny","prompt":["A",[5,6],["B",7]]})");
  EXPECT_EQ(body_of(several).as_array().size(), 3U);
  EXPECT_EQ(body_of(several).at(2).at("index"), 2);
  EXPECT_EQ(post("/completion", R"({"model":"tiny","prompt":{}})").status, 400);
  EXPECT_EQ(post("/completion", R"({"model":"tiny","prompt":[]})").status, 400);
  EXPECT_EQ(post("/completion", R"({"model":"tiny"})").status, 400);
}

TEST_F(HttpFrontend, GivesOnlyTheMembersThatAreAskedFor) {
  start();
  const RawAnswer answer =
      post("/completion", R"({"model":"tiny","prompt":"A","n_predict":5,"response_fields":)"
                          R"(["content","generation_settings/n_predict","nothing/of/it"]})");
  EXPECT_EQ(answer.body, R"({"content":"Hello","n_predict":5})");
}

TEST_F(HttpFrontend, ReadsNativeSampling) {
  start();
  post("/completion",
       R"({"model":"tiny","prompt":"A","repeat_penalty":1.25,"temperature":-1,"seed":-1,)"
       R"("n_probs":3,"cache_prompt":false,"logit_bias":[[7,2.5],["AB",-1],[9,false]],)"
       R"("typical_p":1.0,"mirostat":0,"id_slot":-1,"samplers":["top_k"]})");
  const json::value document = sent_document(engine_);
  EXPECT_EQ(document.at("sampling").at("repetition_penalty"), 1.25);
  EXPECT_EQ(document.at("sampling").at("temperature").to_number<double>(), 0);
  EXPECT_EQ(document.at("logprobs"), 3);
  EXPECT_EQ(document.at("cache_prompt"), false);
  EXPECT_FALSE(document.as_object().contains("seed"));
  EXPECT_EQ(document.at("sampling").at("logit_bias"),
            json::parse(R"([[7,2.5E0],["AB",-1E0],[9,false]])"));
}

TEST_F(HttpFrontend, HoldsNativeAnswersToGrammarsAndSchemas) {
  start();
  for (const std::string path : {"/completion", "/infill"}) {
    const auto format_of = [&](const std::string& member) {
      const RawAnswer answer = post(path, R"({"model":"tiny","prompt":"A","input_prefix":"a",)"
                                          R"("input_suffix":"b",)" +
                                              member + "}");
      EXPECT_EQ(answer.status, 200) << answer.body;
      return sent_document(engine_).at("format");
    };
    EXPECT_EQ(format_of(R"("grammar":"root ::= \"a\"")"),
              json::parse(R"({"type":"gbnf","grammar":"root ::= \"a\""})"));
    EXPECT_EQ(format_of(R"("json_schema":{"type":"object"})").at("schema"),
              json::parse(R"({"type":"object"})"));
  }
  const RawAnswer both =
      post("/completion",
           R"({"model":"tiny","prompt":"A","grammar":"root ::= \"a\"","json_schema":{}})");
  EXPECT_EQ(both.status, 400);
}

TEST_F(HttpFrontend, RefusesInTheNativeShape) {
  start();
  const RawAnswer refused = post("/completion", R"({"model":"tiny","prompt":"A","n_probs":-1})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(error_of(refused).at("code"), 400);
  const RawAnswer unknown = post("/completion", R"({"model":"x","prompt":"A"})");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(error_of(unknown).at("type"), "not_found_error");
}

TEST_F(HttpFrontend, ComputesOnlyThePromptIfNothingIsToBePredicted) {
  start();
  const json::value document =
      body_of(post("/completion", R"({"model":"tiny","prompt":"A","n_predict":0})"));
  EXPECT_EQ(document.at("content"), "");
  EXPECT_EQ(document.at("stop_type"), "limit");
  EXPECT_EQ(document.at("tokens_predicted"), 0);
  EXPECT_EQ(sent_document(engine_).at("max_tokens"), 1);
}

TEST_F(HttpFrontend, FillsAGap) {
  start();
  const RawAnswer answer =
      post("/infill", R"({"model":"tiny","input_prefix":"A","input_suffix":"B","prompt":"c",)"
                      R"("input_extra":[{"filename":"f","text":"x"}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(body_of(answer).at("content"), "Hello");
  // The mock's vocabulary marks no files: their text stands in front.
  EXPECT_EQ(engine_.records().back().tokens,
            (std::vector<std::int32_t>{'x', 257, 'A', 'c', 258, 'B', 259}));
  EXPECT_EQ(post("/infill", R"({"model":"tiny","input_prefix":"A"})").status, 400);
  EXPECT_EQ(post("/infill", R"({"model":"tiny","input_prefix":"A","input_suffix":1})").status, 400);
}

TEST_F(HttpFrontend, FillsAGapBeforeTheSuffixOfACompletion) {
  start();
  const RawAnswer answer =
      post("/v1/completions", R"({"model":"tiny","prompt":["A",[66,67]],"suffix":"z"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(body_of(answer).at("choices").at(0).at("text"), "Hello");
  ASSERT_EQ(engine_.records().size(), 2U);
  EXPECT_EQ(engine_.records().at(0).tokens, (std::vector<std::int32_t>{257, 'A', 258, 'z', 259}));
  EXPECT_EQ(engine_.records().at(1).tokens,
            (std::vector<std::int32_t>{257, 'B', 'C', 258, 'z', 259}));
  EXPECT_FALSE(sent_document(engine_).as_object().contains("prompt"));
  EXPECT_EQ(
      post("/v1/completions", R"({"model":"tiny","prompt":"A","suffix":"z","echo":true})").status,
      400);
}

TEST_F(HttpFrontend, SaysTheLengthOfThePromptInEveryPieceOfANativeStream) {
  MockEvent piece = delta("a");
  piece.prompt_tokens = 10;
  Script script;
  script.events = {accepted(), started(), piece, choice_finished(), finished()};
  engine_.play(script);
  start();
  const RawAnswer answer =
      post("/completion", R"({"model":"tiny","prompt":"A","stream":true,"n_predict":7})");
  const auto data = event_data(answer.body);
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(json::parse(data[0]).at("tokens_evaluated"), 10);
  const json::value settings = json::parse(data[1]).at("generation_settings");
  EXPECT_EQ(settings.at("n_predict"), 7);
  EXPECT_EQ(settings.at("max_tokens"), 7) << "two names of one setting";
}

}  // namespace
}  // namespace vernal::openai_http::testing

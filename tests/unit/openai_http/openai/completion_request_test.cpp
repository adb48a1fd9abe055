// Bodies of completions, converted.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/openai/completion_request.hpp"
#include "unit/openai_http/openai/chat_bodies.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::document_of;
using testing::kBinding;
using testing::kHarmless;
using testing::refusal;

GenerationRequest completion(const std::string& text) {
  return read_completion_request(JsonBody(text).object());
}

TEST(CompletionRequest, TakesEveryFormOfPrompt) {
  EXPECT_EQ(document_of(completion(R"({"prompt":"a"})")),
            json::parse(R"({"kind":"generate","max_tokens":16,"prompt":"a"})"));
  const GenerationRequest two = completion(R"({"prompt":["a","b"],"max_tokens":4})");
  EXPECT_EQ(document_of(two, 0).at("prompt"), "a");
  EXPECT_EQ(document_of(two, 1).at("prompt"), "b");
  const GenerationRequest tokens = completion(R"({"prompt":[1,2,3]})");
  EXPECT_EQ(tokens.prompts.at(0).tokens, (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_FALSE(document_of(tokens).contains("prompt"));
  EXPECT_EQ(completion(R"({"prompt":[[1],[2,3]]})").prompts.at(1).tokens.size(), 2U);
}

TEST(CompletionRequest, RefusesByNameWhatWouldBindTheAnswer) {
  for (const auto& [members, param] : kBinding) {
    const std::string body = std::string(R"({"prompt":"a",)") + members + "}";
    EXPECT_EQ(refusal([&] { completion(body); }).param, param);
  }
  EXPECT_EQ(completion(std::string(R"({"prompt":"a",)") + kHarmless + "}").prompts.at(0).document,
            completion(R"({"prompt":"a"})").prompts.at(0).document);
}

TEST(CompletionRequest, EchoesThePrompt) {
  const GenerationRequest plain = completion(R"({"prompt":["a",[5]],"echo":true})");
  EXPECT_EQ(document_of(plain), json::parse(R"({"kind":"generate","echo":true,"max_tokens":16,
      "prompt":"a"})"));
  EXPECT_EQ(plain.prompts.at(0).echoed, "a");
  EXPECT_EQ(plain.prompts.at(1).echoed, "");
  EXPECT_EQ(document_of(completion(R"({"prompt":"a","echo":true,"logprobs":3,"max_tokens":0})")),
            json::parse(R"({"kind":"generate","echo":true,"max_tokens":0,"logprobs":3,
      "prompt_logprobs":3,"prompt":"a"})"));
}

TEST(CompletionRequest, CarriesTheRulesForTokens) {
  EXPECT_EQ(document_of(completion(R"({"prompt":"a","min_tokens":5,"ignore_eos":true,
      "bad_words":["x",""],"banned_strings":["y"]})")),
            json::parse(R"({"kind":"generate","max_tokens":16,"prompt":"a","min_tokens":5,
      "ignore_eos":true,"bad_words":["x"],"banned_strings":["y"]})"));
  const GenerationRequest told =
      completion(R"({"prompt":"a","timings_per_token":true,"return_progress":true})");
  EXPECT_TRUE(told.timings_per_token && told.reports_progress);
}

TEST(CompletionRequest, TakesMinusOneForNoLimit) {
  EXPECT_FALSE(document_of(completion(R"({"prompt":"a","max_tokens":-1})")).contains("max_tokens"));
  EXPECT_EQ(refusal([&] { completion(R"({"prompt":"a","max_tokens":1.5})"); }).param, "max_tokens");
}

TEST(CompletionRequest, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "prompt"},
      {R"({"prompt":5})", "prompt"},
      {R"({"prompt":[]})", "prompt"},
      {R"({"prompt":[[]]})", "prompt"},
      {R"({"prompt":[-1]})", "prompt"},
      {R"({"prompt":[1.5]})", "prompt"},
      {R"({"prompt":[4294967296]})", "prompt"},
      {R"({"prompt":[1,"a"]})", "prompt"},
      {R"({"prompt":[{}]})", "prompt"},
      {R"({"prompt":"a","echo":1})", "echo"},
      {R"({"prompt":"a","max_tokens":0})", "max_tokens"},
      {R"({"prompt":"a","min_tokens":"5"})", "min_tokens"},
      {R"({"prompt":"a","ignore_eos":1})", "ignore_eos"},
      {R"({"prompt":"a","bad_words":"x"})", "bad_words"},
      {R"({"prompt":"a","banned_strings":[1]})", "banned_strings"},
      {R"({"prompt":"a","timings_per_token":1})", "timings_per_token"},
      {R"({"prompt":"a","suffix":"b","echo":true})", "suffix"},
      {R"({"prompt":"a","best_of":3})", "best_of"},
      {R"({"prompt":"a","logprobs":true})", "logprobs"},
      {R"({"prompt":"a","logprobs":21})", "logprobs"},
  };
  for (const auto& [body, param] : cases) {
    EXPECT_EQ(refusal([&] { completion(body); }).param, param) << body;
  }
}

}  // namespace
}  // namespace vernal::openai_http

// Events of the engine, made into completions and their event streams.
#include "openai_http/openai/completion_answer.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/openai_http/openai/answer_fixture.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;
using testing::chunks_of;
using testing::feed;
using testing::kIdentity;
using testing::MockEvent;
using testing::play;
using testing::request_of;
using testing::with_logprobs;

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

// A request knows its prompt also if it does not want it back.
TEST(CompletionAnswer, CountsOffsetsInTheAnswerAloneWithoutEcho) {
  GenerationRequest request = request_of(false);
  request.wants_logprobs = true;
  request.prompts[0].echoed = "one two";
  MockEvent token = testing::delta(" three four");
  token.positions = {{{" three", -1.0}}, {{" four", -1.0}}, {{"!", -1.0}}};
  const auto answer = make_completion_answer(request, kIdentity);
  const json::value document =
      json::parse(play(*answer, {token, testing::choice_finished(), testing::finished()}));
  EXPECT_EQ(document.at("choices").at(0).at("logprobs").at("text_offset"), json::parse("[0,6,11]"));
}

TEST(CompletionAnswer, EchoesTheTextThatWasSent) {
  GenerationRequest request = request_of(false);
  request.prompts[0].echoed = "as sent";
  const auto answer = make_completion_answer(request, kIdentity);
  const std::string out = play(*answer, {prompt_part("<bos>as ", {}), prompt_part("sent", {}),
                                         testing::delta("!"), testing::finished()});
  EXPECT_EQ(json::parse(out).at("choices").at(0).at("text"), "as sent!");
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

}  // namespace
}  // namespace vernal::openai_http

// What models of 36 families write, taken apart by the syntax that is named for them.
#include <gtest/gtest.h>

#include "unit/text/answer/answer_case.hpp"

namespace vernal {
namespace {

const std::string kFolder = std::string(VERNAL_REFERENCE_DIR) + "/answers";

/// The expected calls with their arguments as JSON values; broken ones as null.
void expect_call(const AnswerCall& call, const boost::json::object& expected) {
  EXPECT_EQ(call.name, as_text(expected.at("name")));
  boost::json::error_code error;
  const boost::json::value arguments = boost::json::parse(call.arguments, error);
  if (expected.at("arguments").is_null()) {
    EXPECT_TRUE(error.failed()) << call.arguments;
  } else {
    EXPECT_FALSE(error.failed()) << call.arguments;
    EXPECT_EQ(arguments, expected.at("arguments")) << call.arguments;
  }
  if (const auto* text = expected.if_contains("arguments_text")) {
    EXPECT_EQ(call.arguments, as_text(*text));
  }
  if (const auto* id = expected.if_contains("id")) {
    EXPECT_EQ(call.id, as_text(*id));
  }
}

void expect_answer(const WholeAnswer& answer, const boost::json::object& expected) {
  EXPECT_EQ(answer.reasoning, as_text(expected.at("reasoning")));
  EXPECT_EQ(answer.content, as_text(expected.at("content")));
  const boost::json::array& calls = expected.at("tool_calls").as_array();
  ASSERT_EQ(answer.calls.size(), calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    expect_call(answer.calls[i], calls[i].as_object());
  }
}

TEST(AnswerCases, AreTakenApartAsExpected) {
  const std::vector<AnswerCase> cases = read_answer_cases(kFolder);
  ASSERT_GE(cases.size(), 200U);
  for (const AnswerCase& answer : cases) {
    SCOPED_TRACE(answer.id + "\n" + answer.text);
    const AnswerSyntax* const syntax = find_answer_syntax(answer.family);
    ASSERT_NE(syntax, nullptr) << answer.family;
    expect_answer(parse_whole(*syntax, answer), answer.expected);
  }
}

TEST(AnswerCases, AreTheSameHoweverTheTextIsCut) {
  for (const AnswerCase& answer : read_answer_cases(kFolder)) {
    SCOPED_TRACE(answer.id);
    const AnswerSyntax& syntax = *find_answer_syntax(answer.family);
    const WholeAnswer whole = parse_whole(syntax, answer);
    const std::string_view text = answer.text;
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
    EXPECT_EQ(parse_in_pieces(syntax, answer, bytes), whole);
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      EXPECT_EQ(parse_in_pieces(syntax, answer, {text.substr(0, cut), text.substr(cut)}), whole)
          << cut;
    }
  }
}

}  // namespace
}  // namespace vernal

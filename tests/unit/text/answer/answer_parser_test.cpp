// What a reader of an answer sees while it comes, and what bounds it.
#include "text/answer/answer_parser.hpp"

#include <gtest/gtest.h>

#include "unit/text/answer/answer_case.hpp"

namespace vernal {
namespace {

const std::vector<ToolDefinition>& tools() {
  static const std::vector<ToolDefinition> all = read_tools(boost::json::parse(R"([
    {"name": "get_time", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}},
    {"name": "write", "parameters": {"type": "object", "properties": {
      "path": {"type": "string"}, "text": {"type": "string"}, "mode": {"type": "integer"}}}}])")
                                                                .as_array());
  return all;
}

AnswerParser parser_of(std::string_view family, AnswerParser::Options options = {}) {
  return AnswerParser(*find_answer_syntax(family), tools(), std::move(options));
}

WholeAnswer answer_to(AnswerParser parser, std::string_view text,
                      AnswerEnd end = AnswerEnd::kStop) {
  WholeAnswer whole;
  whole.add(parser.push(text));
  whole.add(parser.finish(end));
  return whole;
}

TEST(AnswerParser, HandsOutContentAsItComes) {
  AnswerParser parser = parser_of("hermes");
  const std::vector<AnswerDelta> deltas = parser.push("Hello there,");
  ASSERT_EQ(deltas.size(), 1U);
  EXPECT_EQ(deltas.front().text, "Hello there,");
}

TEST(AnswerParser, HandsOutTheNameBeforeTheArgumentsAreThere) {
  AnswerParser parser = parser_of("hermes");
  const std::vector<AnswerDelta> none = parser.push("<tool_call>\n{\"name\": \"write\", \"arg");
  EXPECT_TRUE(none.empty());
  const std::vector<AnswerDelta> begun = parser.push("uments\": {\"text\": \"a long");
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_EQ(begun[0].part, AnswerPart::kCallBegin);
  EXPECT_EQ(begun[0].text, "write");
  EXPECT_EQ(begun[1].text, "{\"text\": \"a long");
}

TEST(AnswerParser, HandsOutTheTextOfATagAsItComes) {
  AnswerParser parser = parser_of("qwen3_xml");
  WholeAnswer so_far;
  so_far.add(parser.push("<tool_call>\n<function=write>\n<parameter=text>\nline one\nline t"));
  ASSERT_EQ(so_far.calls.size(), 1U);
  EXPECT_EQ(so_far.calls[0].arguments, "{\"text\":\"line one\\nline t");
}

TEST(AnswerParser, TakesAnObjectInDoubledBracesForACall) {
  for (const std::string_view text :
       {"{{\"name\": \"get_time\", \"arguments\": {\"zone\": \"CET\"}}}",
        "<tool_call>\n{{\"name\": \"get_time\", \"arguments\": {\"zone\": "
        "\"CET\"}}}}\n</tool_call>"}) {
    const WholeAnswer whole = answer_to(parser_of("hermes"), text);
    ASSERT_EQ(whole.calls.size(), 1U) << text;
    EXPECT_EQ(whole.calls[0].arguments, "{\"zone\": \"CET\"}");
    EXPECT_EQ(whole.content, "");
  }
}

TEST(AnswerParser, CountsAChannelOfAnalysisAsThinking) {
  AnswerParser parser = parser_of("harmony");
  parser.push("<|channel|>analysis<|message|>Well");
  EXPECT_TRUE(parser.is_thinking());
  parser.push("<|end|><|start|>assistant<|channel|>final<|message|>Yes");
  EXPECT_FALSE(parser.is_thinking());
}

TEST(AnswerParser, KeepsAnIdThatIsTakenForNobody) {
  const std::string_view text =
      "<|tool_call_begin|>functions.get_time:0<|tool_call_argument_begin|>{}<|tool_call_end|>";
  EXPECT_EQ(answer_to(parser_of("kimi_k2"), text).calls.at(0).id, "functions.get_time:0");
  const AnswerParser::Options taken{.used_ids = {"functions.get_time:0"}};
  EXPECT_EQ(answer_to(parser_of("kimi_k2", taken), text).calls.at(0).id, "");
}

TEST(AnswerParser, ReadsNothingBehindTheLastCallThatIsAllowed) {
  AnswerParser parser = parser_of("hermes", {.max_calls = 1});
  WholeAnswer whole;
  const std::string call =
      "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>\n";
  whole.add(parser.push(call + call + "And then?"));
  EXPECT_TRUE(parser.is_complete());
  whole.add(parser.finish(AnswerEnd::kStop));
  EXPECT_EQ(whole.calls.size(), 1U);
  EXPECT_EQ(whole.content, "");
}

TEST(AnswerParser, TakesADraftInTheThinkingForNoLastCall) {
  AnswerParser parser = parser_of("hermes", {.is_thinking = true, .max_calls = 1});
  const std::string call = "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>";
  const WholeAnswer whole =
      answer_to(std::move(parser), "Like " + call + "? No.</think>It is six.");
  EXPECT_EQ(whole.reasoning, "Like " + call + "? No.");
  EXPECT_EQ(whole.content, "It is six.");
  EXPECT_TRUE(whole.calls.empty());
}

TEST(AnswerParser, KnowsWhereTheThinkingStands) {
  AnswerParser parser = parser_of("hermes");
  EXPECT_FALSE(parser.is_thinking());
  parser.push("<think>\nWell");
  EXPECT_TRUE(parser.is_thinking());
  parser.push("</think>\n\nYes");
  EXPECT_FALSE(parser.is_thinking());
}

TEST(AnswerParser, TakesACandidateThatGrowsTooLongForContent) {
  const std::string text = "<tool_call>\n{\"arguments\": {\"text\": \"" + std::string(70'000, 'x');
  AnswerParser parser = parser_of("hermes");
  WholeAnswer so_far;
  so_far.add(parser.push(text));
  EXPECT_EQ(so_far.content, text);
  so_far.add(parser.finish(AnswerEnd::kStop));
  EXPECT_EQ(so_far.content, text);
}

TEST(AnswerParser, TakesANestingThatIsTooDeepAsItStands) {
  const std::string deep = "{\"a\": " + std::string(200, '[') + std::string(200, ']') + "}";
  const WholeAnswer whole =
      answer_to(parser_of("hermes"),
                "<tool_call>{\"name\": \"write\", \"arguments\": " + deep + "}</tool_call>");
  ASSERT_EQ(whole.calls.size(), 1U);
  EXPECT_EQ(whole.calls[0].arguments, deep);
}

TEST(AnswerParser, ReadsFloodsOfMarksInLinearTime) {
  for (const std::string_view flood : {"<tool_call>\n", "{\"arguments\": {\"a\": \"\n",
                                       "</parameter>", "<", "```json\n{", "[[", "<think>"}) {
    std::string text;
    while (text.size() < 400'000) text += flood;
    for (const std::string_view family : {"hermes", "qwen3_xml", "glm", "harmony"}) {
      EXPECT_EQ(answer_to(parser_of(family), text).calls.size(), 0U) << flood;
    }
  }
}

}  // namespace
}  // namespace vernal

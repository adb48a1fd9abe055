// Answers with thinking and calls, as the clients of the engine get them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::answers;
using test::BenchOptions;
using test::EngineBench;

constexpr std::string_view kTemplate =
    "{% for t in tools or [] %}{{ t.function.name }};{% endfor %}"
    "{% for m in messages %}{{ m.role }}:{{ m.content or '' }}"
    "{% for c in m.tool_calls or [] %}<tool_call>\n{{ {'name': c.function.name, 'arguments': "
    "c.function.arguments} | tojson }}\n</tool_call>{% endfor %}|{% endfor %}"
    "{% if add_generation_prompt and enable_thinking %}<think>{% endif %}";
constexpr std::string_view kCall =
    "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>";

/// What came on one channel.
std::string text_on(const Answer& answer, std::uint32_t channel) {
  std::string text;
  for (const Event& event : answer.events) {
    if (event.type == VERNAL_EVENT_DELTA && event.channel == channel) text += event.text;
  }
  return text;
}

std::string ask(std::string_view more) {
  return fmt::format(R"({{"messages": [{{"role": "user", "content": "hi"}}],
      "sampling": {{"temperature": 0}}{}}})",
                     more);
}

class AnswerEventsTest : public testing::Test {
 protected:
  /// A model that answers so, whatever it is asked. The prompt is "f;user:hi|", without "f;", or
  /// with the token of <think> behind it, whose lowest byte is 2.
  Answer answer_to(const std::string& text, std::string_view more) {
    BenchOptions options;
    options.chat_template = kTemplate;
    EngineBench bench(answers({{"f;user:hi|", text}, {"user:hi|", text}, {"user:hi|\x02", text}}),
                      options);
    return bench.run(ask(more));
  }
};

constexpr std::string_view kTools = R"(, "tools": [{"name": "f"}])";

TEST_F(AnswerEventsTest, GiveCallsOnTheirOwnChannels) {
  const Answer answer = answer_to("Let me see.\n" + std::string(kCall), kTools);
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "Let me see.");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_NAME), "f");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_ARGUMENTS), "{\"a\": 1}");
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_TOOL_CALLS);
}

TEST_F(AnswerEventsTest, GiveEachCallAnIdAndAnIndex) {
  const Answer answer = answer_to(std::string(kCall) + "\n" + std::string(kCall), kTools);
  std::set<std::string> ids;
  std::set<std::uint32_t> indices;
  for (const Event& event : answer.events) {
    if (event.channel != VERNAL_CHANNEL_TOOL_NAME) continue;
    EXPECT_TRUE(event.call_id.starts_with("call_")) << event.call_id;
    ids.insert(event.call_id);
    indices.insert(event.call_index);
  }
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_EQ(indices, (std::set<std::uint32_t>{0, 1}));
}

TEST_F(AnswerEventsTest, LoseNoTokenBesideTheText) {
  const std::string text = "So:\n" + std::string(kCall) + "\n";
  EXPECT_EQ(answer_to(text, kTools).tokens[0], test::byte_tokens(text));
}

TEST_F(AnswerEventsTest, SeekNoCallsWithoutTools) {
  const std::string text(kCall);
  for (const std::string_view more : {"", R"(, "tools": [{"name": "f"}], "tool_choice": "none")"}) {
    const Answer answer = answer_to(text, more);
    EXPECT_EQ(answer.texts[0], text);
    EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP);
  }
}

TEST_F(AnswerEventsTest, EndBehindTheFirstCallIfOnlyOneIsWanted) {
  const std::string text = std::string(kCall) + "\n" + std::string(kCall) + " And more.";
  const Answer answer =
      answer_to(text, R"(, "tools": [{"name": "f"}], "parallel_tool_calls": false)");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_NAME), "f");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "");
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_TOOL_CALLS);
  EXPECT_LT(answer.tokens[0].size(), kCall.size() + 1);
}

TEST_F(AnswerEventsTest, SayThatACallWasCut) {
  const Answer answer =
      answer_to(std::string(kCall), R"(, "tools": [{"name": "f"}], "max_tokens": 45)");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_NAME), "f");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_ARGUMENTS), "{\"a\": ");
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_LENGTH);
}

TEST_F(AnswerEventsTest, KeepThinkingApartAndCountIt) {
  const std::string_view thinking = "Hm.\n</think>";
  const Answer answer = answer_to(std::string(thinking) + "\n\nYes.", R"(, "thinking": "on")");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_REASONING), "Hm.");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "Yes.");
  EXPECT_EQ(answer.terminal.reasoning_tokens, thinking.size());
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP);
}

/// Thinks a letter at a time, unless the thinking has been ended; then it answers.
void think_on(std::span<const TokenId> tokens, std::span<float> logits) {
  std::fill(logits.begin(), logits.end(), -5.0F);
  std::string text;
  for (const TokenId token : tokens) text.push_back(static_cast<char>(token));
  const std::size_t end = text.find("</think>\n\n");
  const std::string rest = end == std::string::npos ? "" : text.substr(end + 10);
  TokenId next = 'a' + static_cast<TokenId>(tokens.size() * tokens.size() % 23);
  if (end != std::string::npos) next = rest.empty() ? 'Y' : test::kEndToken;
  logits[static_cast<std::size_t>(next)] = 20.0F;
}

TEST_F(AnswerEventsTest, EndTheThinkingAtItsBudgetAndGoOn) {
  BenchOptions options;
  options.chat_template = kTemplate;
  EngineBench bench(think_on, options);
  const Answer answer = bench.run(ask(R"(, "thinking": "on", "thinking_budget": 40)"));
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_REASONING).size(), 44U);
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "Y");
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_STOP);
  // What ends the thinking is computed in one step.
  EXPECT_LE(bench.control().num_steps, 48U);
}

TEST_F(AnswerEventsTest, EndThinkingThatRunsInALoopAndSaySo) {
  BenchOptions options;
  options.chat_template = kTemplate;
  EngineBench bench(think_on, options);
  const Answer answer = bench.run(ask(R"(, "thinking": "on")"));
  EXPECT_NE(text_on(answer, VERNAL_CHANNEL_REASONING).find("repeated itself"), std::string::npos);
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "Y");
}

TEST_F(AnswerEventsTest, LeaveTheAnswerToAPlainPromptAlone) {
  EngineBench bench(answers({{"p", "<think>x</think>y"}}));
  const Answer answer = bench.run(R"({"prompt": "p", "sampling": {"temperature": 0}})");
  EXPECT_EQ(answer.texts[0], "<think>x</think>y");
}

constexpr std::string_view kTypedTool =
    R"(, "tools": [{"name": "f", "parameters": {"type": "object", "required": ["long_name", "n"],
        "properties": {"long_name": {"type": "boolean"}, "n": {"type": "integer", "maximum": 9}}}}])";

TEST_F(AnswerEventsTest, ARequiredCallComesWhateverTheModelWouldSay) {
  const std::string required = std::string(kTypedTool) + R"(, "tool_choice": "required")";
  for (const std::string& more :
       {required, std::string(kTypedTool) + R"(, "tool_choice": {"name": "f"})",
        required + R"(, "parallel_tool_calls": false)"}) {
    const Answer answer = answer_to("No, thanks.", more + R"(, "logprobs": 0)");
    EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_NAME), "f") << more;
    const std::string arguments = text_on(answer, VERNAL_CHANNEL_TOOL_ARGUMENTS);
    EXPECT_TRUE(arguments.starts_with(R"({"long_name": )") || arguments.starts_with(R"({"n": )"))
        << arguments;
    EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_TOOL_CALLS);
    EXPECT_EQ(answer.tokens[0].size(), answer.logprobs[0].size());
  }
}

TEST_F(AnswerEventsTest, TokensThatAreForcedAreComputedTogether) {
  BenchOptions options;
  options.chat_template = kTemplate;
  EngineBench bench(answers({{"f;user:hi|", "No."}}), options);
  const Answer answer =
      bench.run(ask(std::string(kTypedTool) + R"(, "tool_choice": {"name": "f"})"));
  EXPECT_EQ(answer.reasons[0], VERNAL_FINISH_TOOL_CALLS);
  const double forced = bench.metric("vernal_forced_tokens_total");
  EXPECT_GT(forced, 60.0);
  EXPECT_LT(bench.metric("vernal_steps_total"),
            bench.metric("vernal_generated_tokens_total") - forced + 4);
  const Answer cut = bench.run(
      ask(std::string(kTypedTool) + R"(, "tool_choice": {"name": "f"}, "max_tokens": 7)"));
  EXPECT_EQ(cut.reasons[0], VERNAL_FINISH_LENGTH);
  EXPECT_EQ(cut.tokens[0].size(), 7U);
}

TEST_F(AnswerEventsTest, ACallThatTheModelBeginsFitsItsSchema) {
  const Answer answer = answer_to(
      "Well.\n<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>", kTypedTool);
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), "Well.");
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_TOOL_NAME), "f");
  EXPECT_TRUE(text_on(answer, VERNAL_CHANNEL_TOOL_ARGUMENTS).find("long_name") !=
              std::string::npos);
}

TEST_F(AnswerEventsTest, ATextThatIsNoCallStaysFree) {
  const std::string text = "{\"name\": 1} <tool_cal> [f(1)]";
  const Answer answer = answer_to(text, kTypedTool);
  EXPECT_EQ(text_on(answer, VERNAL_CHANNEL_CONTENT), text);
}

}  // namespace
}  // namespace vernal

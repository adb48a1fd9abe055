// Histories of agents that chat templates refuse, made fit for them.
#include "text/request/message_repair.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/byte_tokenizer.hpp"
#include "text/request/prompt_builder.hpp"
#include "text/request/request_document.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As strict as the templates of Qwen, Mistral and Gemma together: a system message only in front,
// then user and assistant in turns, a result for every call, arguments that can be walked over.
constexpr const char* kStrict = R"(
{%- if messages[0].role == 'system' %}S:{{ messages[0].content }}|{% set rest = messages[1:] %}
{%- else %}{% set rest = messages %}{% endif %}
{%- if rest | selectattr('role', 'equalto', 'user') | list | length == 0 %}
{{- raise_exception('No user query found in messages.') }}{% endif %}
{%- set ns = namespace(user=true, calls=0) %}
{%- for m in rest %}
{%- if m.role == 'system' %}{{ raise_exception('System message must be at the beginning.') }}
{%- elif m.role == 'tool' %}
{%- if ns.calls == 0 %}{{ raise_exception('A result without a call.') }}{% endif %}
{%- set ns.calls = ns.calls - 1 %}R:{{ m.content }}|{% if ns.calls == 0 %}{% set ns.user = false %}{% endif %}
{%- elif m.role == 'user' %}
{%- if not ns.user or ns.calls > 0 %}{{ raise_exception('Roles must alternate.') }}{% endif %}
{%- set ns.user = false %}U:{{ m.content }}|
{%- else %}
{%- if ns.user %}{{ raise_exception('Roles must alternate.') }}{% endif %}
{%- set ns.user = true %}A:{{ m.content or '' }}
{%- for call in m.tool_calls or [] %}{% set ns.calls = ns.calls + 1 %}({{ call.function.name }}
{%- for key, value in call.function.arguments.items() %} {{ key }}={{ value }}{% endfor %}){% endfor %}|
{%- endif %}{% endfor %}G:)";

class MessageRepair : public ::testing::Test {
 protected:
  static PromptBuilder builder() {
    return {test::make_byte_tokenizer(),
            {.chat = std::make_shared<const ChatTemplate>(ChatTemplate::parse(kStrict))},
            system_clock()};
  }
  static std::string text_of(const Prompt& prompt) {
    return test::make_byte_tokenizer()->decode(prompt.tokens);
  }
  Prompt prompt_of(const std::string& messages) const {
    RequestDefaults defaults;
    defaults.message_policy = policy;
    return builder().prompt(parse_request(R"({"messages": )" + messages + "}", defaults, false));
  }

  MessagePolicy policy;
};

constexpr const char* kUser = R"({"role": "user", "content": "u"})";

std::string list(const std::vector<std::string>& messages) {
  std::string out;
  for (const std::string& message : messages) out += (out.empty() ? "" : ", ") + message;
  return "[" + out + "]";
}

const std::string kCall =
    R"({"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]})";
const std::string kResult = R"({"role": "tool", "tool_call_id": "a", "content": "r"})";

TEST_F(MessageRepair, LeavesAloneWhatTheTemplateTakes) {
  const Prompt prompt =
      prompt_of(list({R"({"role": "system", "content": "s"})", kUser, kCall, kResult}));
  EXPECT_EQ(text_of(prompt), "S:s|U:u|A:(f x=1)|R:r|G:");
  EXPECT_THAT(prompt.warnings, IsEmpty());
}

TEST_F(MessageRepair, GivesALateSystemMessageAsTheUsers) {
  const std::string late = list({kUser, R"({"role": "assistant", "content": "a"})",
                                 R"({"role": "developer", "content": "d"})"});
  const Prompt prompt = prompt_of(late);
  EXPECT_EQ(text_of(prompt), "U:u|A:a|U:[System message]\nd|G:");
  EXPECT_THAT(prompt.warnings, ElementsAre(HasSubstr("system messages behind the first place")));
  policy.late_system = LateSystem::kFirst;
  EXPECT_EQ(text_of(prompt_of(late)), "S:d|U:u|A:a|G:");
}

TEST_F(MessageRepair, JoinsSystemMessagesInARow) {
  const Prompt prompt = prompt_of(list({R"({"role": "system", "content": "s"})",
                                        R"({"role": "developer", "content": "d"})", kUser}));
  EXPECT_EQ(text_of(prompt), "S:s\n\nd|U:u|G:");
}

TEST_F(MessageRepair, AddsAMissingTurnOfTheUser) {
  EXPECT_EQ(text_of(prompt_of(R"([{"role": "system", "content": "s"}])")), "S:s|U:Continue.|G:");
  const Prompt prompt = prompt_of(list({kCall, kResult}));
  EXPECT_EQ(text_of(prompt), "U:Continue.|A:(f x=1)|R:r|G:");
  EXPECT_THAT(prompt.warnings, ElementsAre(HasSubstr("no turn of the user")));
}

TEST_F(MessageRepair, JoinsAnswersInARow) {
  const Prompt prompt = prompt_of(list({kUser, R"({"role": "assistant", "content": "a"})",
                                        R"({"role": "assistant", "content": "b"})"}));
  EXPECT_EQ(text_of(prompt), "U:u|A:a\n\nb|G:");
  EXPECT_EQ(text_of(prompt_of(list({kUser, kUser}))), "U:u\n\nu|G:");
  EXPECT_EQ(
      text_of(prompt_of(list({kUser, R"({"role": "assistant", "content": "a"})", kCall, kResult}))),
      "U:u|A:a(f x=1)|R:r|G:");
}

TEST_F(MessageRepair, MakesOrphanResultsMessagesOfTheUser) {
  const Prompt prompt =
      prompt_of(list({kUser, R"({"role": "assistant", "content": "a"})", kResult}));
  EXPECT_EQ(text_of(prompt), "U:u|A:a|U:[Tool result]\nr|G:");
  EXPECT_THAT(prompt.warnings, ElementsAre(HasSubstr("whose call is not in the messages")));
}

TEST_F(MessageRepair, AnswersCallsThatWereNotAnswered) {
  const Prompt prompt =
      prompt_of(list({kUser, kCall, R"({"role": "assistant", "content": "a"})", kUser}));
  EXPECT_THAT(text_of(prompt), HasSubstr("A:(f x=1)|R:|A:a|U:u|"));
}

TEST_F(MessageRepair, PutsAnAnswerBetweenAResultAndTheUser) {
  const Prompt prompt = prompt_of(list({kUser, kCall, kResult, kUser}));
  EXPECT_EQ(text_of(prompt), "U:u|A:(f x=1)|R:r|A:(no answer)|U:u|G:");
  EXPECT_THAT(prompt.warnings, ElementsAre(HasSubstr("between a tool result and the user")));
}

TEST_F(MessageRepair, PutsBrokenArgumentsIntoAnObject) {
  const std::string broken =
      R"({"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{\"x"}}]})";
  const Prompt prompt = prompt_of(list({kUser, broken, kResult}));
  EXPECT_EQ(text_of(prompt), "U:u|A:(f arguments={\"x)|R:r|G:");
}

TEST_F(MessageRepair, DoesWhatThePolicySays) {
  policy.repair = RepairMessages::kNever;
  EXPECT_THROW(prompt_of(list({kUser, kUser})), RequestError);
  policy.repair = RepairMessages::kAlways;
  EXPECT_EQ(text_of(prompt_of(list({kUser, kUser}))), "U:u\n\nu|G:");
}

// Every history of up to four messages of any role is taken.
TEST_F(MessageRepair, LetsNoShapeOfAHistoryFail) {
  const std::vector<std::string> kinds = {
      kUser,
      R"({"role": "system", "content": "s"})",
      R"({"role": "assistant", "content": "a"})",
      R"({"role": "assistant", "content": null})",
      kCall,
      kResult,
      R"({"role": "tool", "content": [{"type": "text", "text": "p"}]})"};
  for (std::size_t number = 0; number < kinds.size() * kinds.size() * kinds.size() * kinds.size();
       ++number) {
    std::vector<std::string> messages;
    for (std::size_t rest = number; messages.size() < 4; rest /= kinds.size()) {
      messages.push_back(kinds[rest % kinds.size()]);
    }
    EXPECT_NO_THROW(prompt_of(list(messages))) << list(messages);
  }
}

}  // namespace
}  // namespace vernal

// Messages with calls, in the form in which a template loses nothing of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rendering.hpp"

namespace vernal {
namespace {

using test::call_document;
using test::prompt_of;
using test::warnings_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kArguments = R"("{\"x\": 1}")";

TEST(EmptyContent, IsNullWhereTheTemplateAsksForIt) {
  constexpr const char* kAsks =
      "{% for m in messages %}{% if m.content is none %}{% for c in m.tool_calls %}<{{ "
      "c.function.arguments | tojson }}>{% endfor %}{% else %}{{ m.content }}{% endif %}{% endfor "
      "%}";
  EXPECT_EQ(prompt_of(kAsks, call_document(kArguments, "null")), R"(go<{"x": 1}>done)");
  EXPECT_EQ(prompt_of(kAsks, call_document(kArguments, R"("")")), R"(go<{"x": 1}>done)");
}

TEST(EmptyContent, IsTextWhereNullIsRefusedOrPrinted) {
  constexpr const char* kRefuses =
      "{% for m in messages %}{{ m.content | trim + '' }}{% if m.content is none %}{{ "
      "raise_exception('no') }}{% endif %}{% for c in m.tool_calls %}<{{ c.function.arguments | "
      "tojson }}>{% endfor %}{% endfor %}";
  constexpr const char* kPrints =
      "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}<{{ c.function.arguments | "
      "tojson }}>{% endfor %}{% endfor %}";
  for (const char* source : {kRefuses, kPrints}) {
    EXPECT_EQ(prompt_of(source, call_document(kArguments, "null")), R"(go<{"x": 1}>done)");
  }
}

TEST(EmptyContent, IsAsSentWhereBothWork) {
  constexpr const char* kTells =
      "{% for m in messages %}{{ '[null]' if m.content is none else m.content }}{% for c in "
      "m.tool_calls %}<{{ c.function.arguments | tojson }}>{% endfor %}{% endfor %}";
  // What is printed for null is the template's own text, and may well be meant.
  constexpr const char* kSkips =
      "{% for m in messages %}{% if m.content is not none %}({{ m.content }}){% endif %}{% for c "
      "in "
      "m.tool_calls %}<{{ c.function.arguments | tojson }}>{% endfor %}{% endfor %}";
  EXPECT_EQ(prompt_of(kTells, call_document(kArguments, R"("")")), R"(go<{"x": 1}>done)");
  EXPECT_EQ(prompt_of(kSkips, call_document(kArguments, "null")), R"((go)<{"x": 1}>(done))");
  EXPECT_EQ(prompt_of(kSkips, call_document(kArguments, R"("")")), R"((go)()<{"x": 1}>(done))");
}

TEST(EmptyContent, OfAMessageWithoutCallsIsAnEmptyMessage) {
  EXPECT_EQ(prompt_of("{% for m in messages %}({{ m.content + '' }}){% endfor %}",
                      R"({"messages": [{"role": "user", "content": "a"},
                          {"role": "assistant", "content": null}, {"role": "assistant"},
                          {"role": "user", "content": "b"}]})"),
            "(a)()()(b)");
}

TEST(TextBesideCalls, GetsAMessageOfItsOwnWhereItWouldHideTheCall) {
  constexpr const char* kEither =
      "{% for m in messages %}[{% if m.content is none or not m.content %}{% for c in m.tool_calls "
      "%}<{{ c.function.arguments | tojson }}>{% endfor %}{% else %}{{ m.content }}{% endif %}]{% "
      "endfor %}";
  EXPECT_EQ(prompt_of(kEither, call_document(kArguments, R"("I look")")),
            R"([go][I look][<{"x": 1}>][done])");
  EXPECT_THAT(warnings_of(kEither, call_document(kArguments, R"("I look")")), IsEmpty());
}

TEST(TextBesideCalls, IsLostWithAWarningWhereTheTemplateDropsIt) {
  constexpr const char* kDrops =
      "{% for m in messages %}{% if m.tool_calls %}{% for c in m.tool_calls %}<{{ "
      "c.function.arguments | tojson }}>{% endfor %}{% else %}{{ m.content }}{% endif %}{% endfor "
      "%}";
  EXPECT_THAT(warnings_of(kDrops, call_document(kArguments, R"("I look")")),
              ElementsAre(HasSubstr("leaves out the text of messages with tool calls")));
  EXPECT_THAT(warnings_of(kDrops, call_document(kArguments, R"("")")), IsEmpty());
}

constexpr const char* kTwoCalls = R"({"messages": [{"role": "user", "content": "go"},
    {"role": "assistant", "content": "both", "tool_calls": [
      {"id": "call_long_one", "function": {"name": "f", "arguments": "{\"x\": 1}"}},
      {"id": "call_long_two", "function": {"name": "f", "arguments": "{\"x\": 2}"}}]},
    {"role": "tool", "tool_call_id": "call_long_two", "content": "second"},
    {"role": "tool", "tool_call_id": "call_long_one", "content": "first"}]})";

TEST(SeveralCalls, GetMessagesOfTheirOwnWhereTheTemplateTakesOne) {
  constexpr const char* kRaises =
      "{% for m in messages %}{% if m.tool_calls and m.tool_calls | length > 1 %}{{ "
      "raise_exception('one call') }}{% endif %}[{{ m.content or '' }}{% for c in m.tool_calls "
      "%}<{{ "
      "c.function.arguments | tojson }}>{% endfor %}]{% endfor %}";
  constexpr const char* kKeepsTheFirst =
      "{% for m in messages %}[{{ m.content or '' }}{% if m.tool_calls %}<{{ "
      "m.tool_calls[0].function.arguments | tojson }}>{% endif %}]{% endfor %}";
  for (const char* source : {kRaises, kKeepsTheFirst}) {
    EXPECT_EQ(prompt_of(source, kTwoCalls), R"([go][both<{"x": 1}>][first][<{"x": 2}>][second])");
  }
}

TEST(SeveralCalls, StayTogetherWhereTheTemplateShowsThem) {
  EXPECT_EQ(prompt_of("{% for m in messages %}[{{ m.content or '' }}{% for c in m.tool_calls %}<{{ "
                      "c.function.arguments | tojson }}>{% endfor %}]{% endfor %}",
                      kTwoCalls),
            R"([go][both<{"x": 1}><{"x": 2}>][second][first])");
}

TEST(CallIds, HaveNineCharactersWhereTheTemplateAsksForThem) {
  constexpr const char* kStrict =
      "{% for m in messages %}{% for c in m.tool_calls %}{% if c.id | length != 9 %}{{ "
      "raise_exception('id') }}{% endif %}<{{ c.id }}{{ c.function.arguments | tojson }}>{% endfor "
      "%}{% if m.role == 'tool' %}({{ m.tool_call_id }}){% endif %}{{ m.content }}{% endfor %}";
  const std::string prompt = prompt_of(kStrict, call_document(kArguments, R"("")"));
  ASSERT_THAT(prompt, testing::MatchesRegex(R"(go<[0-9A-Za-z]+\{"x": 1\}>\([0-9A-Za-z]+\)done)"));
  const std::string id = prompt.substr(3, 9);
  EXPECT_EQ(prompt, "go<" + id + "{\"x\": 1}>(" + id + ")done");
}

TEST(CallIds, AreKeptWhereTheTemplateTakesThem) {
  EXPECT_EQ(
      prompt_of("{% for m in messages %}{% for c in m.tool_calls %}{{ c.id }}{{ "
                "c.function.arguments | tojson }}{% endfor %}{{ m.content or '' }}{% endfor %}",
                call_document(kArguments)),
      R"(gocall_0123456789{"x": 1}done)");
}

TEST(Reasoning, GoesWhereTheTemplateLooksForIt) {
  constexpr const char* kDocument = R"({"messages": [{"role": "user", "content": "go"},
      {"role": "assistant", "content": "a", "reasoning_content": "hm"},
      {"role": "user", "content": "on"}]})";
  for (const char* member : {"reasoning_content", "reasoning", "thinking"}) {
    const std::string source = fmt::format(
        "{{% for m in messages %}}{{{{ m.{} }}}}{{{{ m.content }}}}{{% endfor %}}", member);
    EXPECT_EQ(prompt_of(source, kDocument), "gohmaon") << member;
  }
}

TEST(Reasoning, YieldsToTextWhereTheTemplateRefusesBoth) {
  constexpr const char* kRefuses =
      "{% for m in messages %}{% if m.tool_calls and m.content and m.thinking %}{{ "
      "raise_exception('both') }}{% endif %}[{{ m.thinking }}{{ m.content }}{% for c in "
      "m.tool_calls %}<{{ c.function.arguments | tojson }}>{% endfor %}]{% endfor %}";
  std::string document = call_document(kArguments, R"("I look", "reasoning_content": "hm")");
  EXPECT_EQ(prompt_of(kRefuses, document), R"([go][I look<{"x": 1}>][done])");
  document = call_document(kArguments, R"("", "reasoning_content": "hm")");
  EXPECT_EQ(prompt_of(kRefuses, document), R"([go][hm<{"x": 1}>][done])");
}

TEST(Calls, BecomeTextWhereTheTemplatePrintsNone) {
  constexpr const char* kPlain =
      "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
      "[{{ m.role }}: {{ m.content }}]{% endfor %}";
  EXPECT_EQ(prompt_of(kPlain, call_document(R"("{\"x\": 0.10}")", R"("I look")")),
            "[user: go][assistant: I look\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": "
            "0.10}}\n</tool_call>][user: <tool_response>\ndone\n</tool_response>]");
  EXPECT_THAT(warnings_of(kPlain, call_document(kArguments)),
              ElementsAre(HasSubstr("prints no tool calls")));
}

}  // namespace
}  // namespace vernal

// Tools that a template does not print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rendering.hpp"
#include "text/request/generic_tools.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

using test::prompt_of;
using test::warnings_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr const char* kPlain = "{% for m in messages %}[{{ m.role }}: {{ m.content }}]{% endfor %}";
constexpr const char* kTool = R"({"type": "function", "function": {"name": "f", "strict": true}})";

std::string with_tool(std::string_view messages) {
  return fmt::format(R"({{"messages": [{}], "tools": [{}]}})", messages, kTool);
}

constexpr const char* kUser = R"({"role": "user", "content": "go"})";
constexpr const char* kSystem = R"({"role": "system", "content": "be brief"})";

TEST(ToolsPreamble, StandsBeforeTheFirstMessage) {
  const std::string prompt = prompt_of(kPlain, with_tool(kUser));
  EXPECT_THAT(prompt, StartsWith("[system: You can call functions."));
  EXPECT_THAT(prompt, HasSubstr(std::string("<tools>\n") + kTool + "\n</tools>"));
  EXPECT_THAT(prompt, testing::EndsWith("answer in plain text.][user: go]"));
  EXPECT_THAT(warnings_of(kPlain, with_tool(kUser)), ElementsAre(HasSubstr("preamble")));
}

TEST(ToolsPreamble, StandsInFrontOfTheSystemMessage) {
  const std::string prompt = prompt_of(kPlain, with_tool(fmt::format("{}, {}", kSystem, kUser)));
  EXPECT_THAT(prompt, StartsWith("[system: You can call functions."));
  EXPECT_THAT(prompt, testing::EndsWith("plain text.\n\nbe brief][user: go]"));
}

TEST(ToolsPreamble, IsTheUsersWhereThereIsNoPlaceForASystemMessage) {
  const std::string source =
      std::string(
          "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif "
          "%}") +
      kPlain;
  const std::string prompt = prompt_of(source, with_tool(kUser));
  EXPECT_THAT(prompt, StartsWith("[user: You can call functions."));
  EXPECT_THAT(prompt, testing::EndsWith("plain text.\n\ngo]"));
}

TEST(ToolsPreamble, IsNotNeededWhereTheTemplatePrintsTools) {
  const std::string source = std::string("{{ tools | tojson if tools }}") + kPlain;
  EXPECT_EQ(prompt_of(source, with_tool(kUser)), fmt::format("[{}][user: go]", kTool));
  EXPECT_THAT(warnings_of(source, with_tool(kUser)), IsEmpty());
}

TEST(ToolsPreamble, IsNotWrittenWithoutTools) {
  EXPECT_EQ(prompt_of(kPlain, fmt::format(R"({{"messages": [{}]}})", kUser)), "[user: go]");
  EXPECT_EQ(prompt_of(kPlain, fmt::format(R"({{"messages": [{}], "tools": [{}],
                                              "tool_choice": "none"}})",
                                          kUser, kTool)),
            "[user: go]");
}

TEST(ToolsPreamble, HelpsWhereTheTemplateFailsOnTheseTools) {
  const std::string source =
      std::string(
          "{% if tools %}{% for t in tools %}{{ t.function.name }}{% if t.function.strict "
          "%}{{ raise_exception('strict') }}{% endif %}{% endfor %}{% endif %}") +
      kPlain;
  EXPECT_THAT(prompt_of(source, with_tool(kUser)), StartsWith("[system: You can call functions."));
}

TEST(ToolsPreamble, IsRefusedByNameWhereItWouldBeLost) {
  constexpr const char* kLastOnly = "[{{ messages[-1].content[-2:] }}]";
  try {
    prompt_of(kLastOnly, with_tool(kUser));
    FAIL() << "accepted";
  } catch (const RequestError& error) {
    EXPECT_EQ(error.details().param, "tools");
    EXPECT_EQ(error.kind().http_status, 400U);
    EXPECT_THAT(error.what(), HasSubstr("'tools'"));
  }
}

TEST(ToolUseTemplate, IsUsedWhenToolsAreSent) {
  const PromptBuilder builder =
      test::builder_of({test::parsed("plain{% for m in messages %}{{ m.content }}{% endfor %}"),
                        test::parsed("tools{{ tools | tojson }}{% for m in messages %}{{ m.content "
                                     "}}{% endfor %}")});
  const auto text = [&](const std::string& document) {
    return builder.text(parse_request(document, {}, false));
  };
  EXPECT_EQ(text(fmt::format(R"({{"messages": [{}]}})", kUser)), "plaingo");
  EXPECT_EQ(text(with_tool(kUser)), fmt::format("tools[{}]go", kTool));
}

}  // namespace
}  // namespace vernal

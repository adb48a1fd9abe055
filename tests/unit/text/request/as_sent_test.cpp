// What a client sends reaches the template as it was sent: arguments, numbers, tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "rendering.hpp"
#include "text/exact_json.hpp"

namespace vernal {
namespace {

using test::call_document;
using test::prompt_of;
using testing::HasSubstr;

// Both forms work in it, as in Qwen3's and Hermes'.
constexpr const char* kPrintsText =
    "{% for m in messages %}{{ m.content or '' }}{% for c in m.tool_calls %}<"
    "{{ c.function.arguments if c.function.arguments is string else c.function.arguments | tojson "
    "}}"
    ">{% endfor %}{% endfor %}";
constexpr const char* kPrintsTextOnly =
    "{% for m in messages %}{{ m.content or '' }}{% for c in m.tool_calls %}<{{ "
    "c.function.arguments }}>{% endfor %}{% endfor %}";
constexpr const char* kPrintsObjects =
    "{% for m in messages %}{{ m.content or '' }}{% for c in m.tool_calls %}<{{ "
    "c.function.arguments | tojson }}>{% endfor %}{% endfor %}";
constexpr const char* kWalks =
    "{% for m in messages %}{{ m.content or '' }}{% for c in m.tool_calls %}<{% for k, v in "
    "c.function.arguments | items %}{{ k }}={{ v }};{% endfor %}>{% endfor %}{% endfor %}";
constexpr const char* kPrintsTools =
    "{% if tools %}{% for t in tools %}{{ t | tojson }}{% endfor %}{% endif %}{% for m in messages "
    "%}{{ m.content }}{% endfor %}";

// As a JSON string, which is how clients send arguments.
std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text.data(), text.size()));
}

constexpr const char* kArguments[] = {
    R"({"price": 19.99})",
    R"({"x": 0.10})",
    R"({"x": 1, "x": 2})",
    R"({"x":1E5,"y":-0,"z":1.0})",
    R"( { "x" : 12345678901234567890123 } )",
    R"({"x": "\u00e9", "y": "/"})",
    R"({"broken": )",
};

TEST(ArgumentsOfACall, ReachATemplateThatPrintsTextByteForByte) {
  for (const char* arguments : kArguments) {
    const std::string expected = "go<" + std::string(arguments) + ">done";
    EXPECT_EQ(prompt_of(kPrintsText, call_document(quoted(arguments))), expected);
    EXPECT_EQ(prompt_of(kPrintsTextOnly, call_document(quoted(arguments))), expected);
  }
}

TEST(ArgumentsOfACall, KeepTheirNumbersWhereATemplateWalksOverThem) {
  const auto walked = [](std::string_view arguments) {
    return prompt_of(kWalks, call_document(quoted(arguments)));
  };
  EXPECT_EQ(walked(R"({"price": 19.99})"), "go<price=19.99;>done");
  EXPECT_EQ(walked(R"({"x": 0.10, "y": 1E5, "z": 2})"), "go<x=0.10;y=1E5;z=2;>done");
  EXPECT_EQ(walked(R"({"x": 12345678901234567890123})"), "go<x=12345678901234567890123;>done");
  EXPECT_EQ(walked(R"({"x": [9223372036854775808, -9223372036854775809]})"),
            "go<x=[9223372036854775808, -9223372036854775809];>done");
}

TEST(ArgumentsOfACall, ArePrintedOnceAsJson) {
  EXPECT_EQ(prompt_of(kPrintsObjects, call_document(quoted(R"({"x": 0.10})"))),
            R"(go<{"x": 0.10}>done)");
  // The tools are printed as Python prints them: that says nothing of the arguments.
  const std::string with_tools = std::string("{{ tools }}") + kPrintsObjects;
  std::string document = call_document(R"("{\"x\": 1}")");
  document.insert(1, R"("tools": [{"name": "f", "parameters": {"properties": {"x": {}}}}], )");
  EXPECT_THAT(prompt_of(with_tools, document), HasSubstr(R"(go<{"x": 1}>done)"));
}

TEST(ArgumentsOfACall, MayComeAsAnObject) {
  const std::string sent = R"({"x": 0.10, "y": 36893488147419103232})";
  for (const char* source : {kPrintsText, kPrintsTextOnly, kPrintsObjects}) {
    EXPECT_EQ(prompt_of(source, call_document(sent)), "go<" + sent + ">done");
  }
}

// One document with these tools.
std::string with_tools(std::string_view tools) {
  return fmt::format(R"({{"messages": [{{"role": "user", "content": "go"}}], "tools": [{}]}})",
                     tools);
}

TEST(Tools, ReachTheTemplateAsTheyWereSent) {
  for (
      const char* tool :
      {R"({"type": "function", "function": {"name": "f"}})",
       R"({"type": "function", "function": {"strict": true, "parameters": {"type": "object"}, "name": "f"}})",
       R"({"function": {"name": "f", "description": null}, "type": "function"})",
       R"({"type": "function", "function": {"name": "f", "parameters": {"properties": {"x": {"maximum": 18446744073709551616, "multipleOf": 0.10}}}}})"}) {
    EXPECT_EQ(prompt_of(kPrintsTools, with_tools(tool)), std::string(tool) + "go");
  }
}

TEST(Tools, GetTheirWrapperWhereABareFunctionIsSent) {
  EXPECT_EQ(prompt_of(kPrintsTools, with_tools(R"({"name": "f", "strict": false})")),
            R"({"type": "function", "function": {"name": "f", "strict": false}}go)");
}

TEST(Tools, GetWhatIsMissingOnlyWhereTheTemplateNeedsIt) {
  constexpr const char* kNeedsParameters =
      "{% if tools %}{% for t in tools %}{{ t.function.name }}{% for k in "
      "t.function.parameters.properties %}{{ k }}{% endfor %}:{{ t.function.description + '.' }}"
      "{% endfor %}{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}";
  EXPECT_EQ(prompt_of(kNeedsParameters, with_tools(R"({"name": "f"})")), "f:.go");
  EXPECT_THAT(test::warnings_of(kNeedsParameters, with_tools(R"({"name": "f"})")),
              testing::ElementsAre(HasSubstr("without description or parameters")));
  EXPECT_TRUE(test::warnings_of(kPrintsTools, with_tools(R"({"name": "f"})")).empty());
}

TEST(TemplateVariables, KeepTheirNumbers) {
  EXPECT_EQ(prompt_of("{{ messages[0].content }}{{ budget }} {{ budget + 1 }}",
                      R"({"messages": [{"role": "user", "content": "go"}],
                          "template_kwargs": {"budget": 1.50}})"),
            "go1.50 2.5");
}

TEST(ExactJson, KeepsWhatTheLibraryWouldPrintDifferently) {
  for (const char* text : {"[0.10, -0, 1.0, 1E5, 18446744073709551615, 1e-400]", "{\"a\": 1}",
                           "[1, -5, 0, true, null, \"a\\\"b\"]"}) {
    boost::json::error_code error;
    EXPECT_EQ(exact_json_text(parse_exact_json(text, 32, {}, error)), text);
    EXPECT_FALSE(error);
  }
}

TEST(ExactJson, RefusesWhatIsNoJson) {
  for (const char* text : {"1e999", "[1", "{} x", "[01]", "\"\xFF\"", ""}) {
    boost::json::error_code error;
    parse_exact_json(text, 32, {}, error);
    EXPECT_TRUE(error) << text;
  }
}

}  // namespace
}  // namespace vernal

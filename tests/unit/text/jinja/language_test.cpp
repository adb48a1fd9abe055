// The template language: compared with what Jinja2 renders (tests/golden/chat/language.json), and
// in detail.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "golden_file.hpp"
#include "render.hpp"

namespace vernal::jinja {
namespace {

TEST(JinjaLanguage, RendersWhatJinja2Renders) {
  const boost::json::value document = boost::json::parse(read_golden("language.json"));
  const boost::json::object& inputs = document.at("inputs").as_object();
  const boost::json::array& cases = document.at("cases").as_array();
  ASSERT_GE(cases.size(), 236U);
  for (const boost::json::value& entry : cases) {
    const boost::json::object& expected = entry.as_object();
    const std::string source = string_of(expected.at("source"));
    SCOPED_TRACE(source);
    try {
      const std::string text = render(source, inputs);
      ASSERT_TRUE(expected.contains("text")) << "rendered instead of failing: " << text;
      EXPECT_EQ(text, string_of(expected.at("text")));
    } catch (const TemplateRaised& raised) {
      ASSERT_TRUE(expected.contains("raised")) << raised.what();
      EXPECT_EQ(raised.what(), string_of(expected.at("raised")));
    } catch (const TemplateError& error) {
      EXPECT_TRUE(expected.contains("error")) << error.what();
    }
  }
}

TEST(JinjaWhitespace, DropsTheNewlineAfterABlockTagButNotAfterAVariable) {
  EXPECT_EQ(render("{% if true %}\na\n{% endif %}\nb\n{{ 1 }}\nc"), "a\nb\n1\nc");
}

TEST(JinjaWhitespace, DropsSpacesBeforeABlockTagAtTheStartOfALine) {
  EXPECT_EQ(render("a\n  {% if true %}b{% endif %}"), "a\nb");
  EXPECT_EQ(render("a  {% if true %}b{% endif %}"), "a  b");
}

TEST(JinjaWhitespace, MinusStripsAndPlusKeeps) {
  EXPECT_EQ(render("a \n {%- if true -%} \n b \n {%- endif %}"), "ab");
  EXPECT_EQ(render("a\n  {%+ if true +%}\nb{% endif %}"), "a\n  \nb");
  EXPECT_EQ(render("a {{- 1 -}} b"), "a1b");
}

TEST(JinjaWhitespace, DropsExactlyOneNewlineAtTheEnd) {
  EXPECT_EQ(render("a\n"), "a");
  EXPECT_EQ(render("a\n\n"), "a\n");
  EXPECT_EQ(render("a\r\nb\r"), "a\nb");
}

TEST(JinjaWhitespace, LeavesRawTextAlone) {
  EXPECT_EQ(render("{% raw %} {{ x }} {# y #} {% endraw %}"), " {{ x }} {# y #} ");
}

TEST(JinjaExpressions, FollowPythonsPrecedence) {
  EXPECT_EQ(render("{{ 1 + 2 * 3 }}"), "7");
  EXPECT_EQ(render("{{ 2 ** 3 ** 2 }}"), "64");  // from left to right, as Jinja has it
  EXPECT_EQ(render("{{ not 1 == 2 }}"), "True");
  EXPECT_EQ(render("{{ 1 ~ 2 * 3 }}"), "16");
  EXPECT_EQ(render("{{ 'a' if false else 'b' if false else 'c' }}"), "c");
  EXPECT_EQ(render("{{ -1|abs }}"), "1");
  EXPECT_EQ(render("{{ 1 < 2 < 3 and 3 > 2 > 2 }}"), "False");
}

TEST(JinjaScopes, SetInALoopDoesNotLeak) {
  EXPECT_EQ(
      render("{% set v = 0 %}{% for i in [1, 2] %}{% set v = v + i %}{{ v }}{% endfor %}{{ v }}"),
      "120");
}

TEST(JinjaScopes, NamespaceCarriesValuesOutOfALoop) {
  EXPECT_EQ(
      render("{% set n = namespace(v=0) %}{% for i in [1, 2] %}{% set n.v = n.v + i %}{% endfor %}"
             "{{ n.v }}"),
      "3");
}

TEST(JinjaScopes, IfHasNoScopeOfItsOwn) {
  EXPECT_EQ(render("{% if true %}{% set v = 1 %}{% endif %}{{ v }}"), "1");
}

TEST(JinjaScopes, MacrosSeeVariablesAsTheyAreWhenCalled) {
  EXPECT_EQ(
      render(
          "{% macro m() %}{{ v }}{% endmacro %}{% set v = 1 %}{{ m() }}{% set v = 2 %}{{ m() }}"),
      "12");
}

TEST(JinjaScopes, MacroKeepsTheScopeOfItsDefinitionAlive) {
  EXPECT_EQ(render("{% set n = namespace() %}{% for i in [7] %}{% macro m() %}{{ i }}{% endmacro %}"
                   "{% set n.m = m %}{% endfor %}{{ n.m() }}"),
            "7");
}

TEST(JinjaText, CountsCodePoints) {
  const boost::json::object inputs = {{"s", "h\xC3\xA9\xE2\x98\x83\xF0\x9F\x98\x80!"}};
  EXPECT_EQ(render("{{ s|length }}", inputs), "5");
  EXPECT_EQ(render("{{ s[3] }}{{ s[-1] }}", inputs), "\xF0\x9F\x98\x80!");
  EXPECT_EQ(render("{{ s[::-1] }}", inputs), "!\xF0\x9F\x98\x80\xE2\x98\x83\xC3\xA9h");
  EXPECT_EQ(render("{{ s.find('!') }}", inputs), "4");
  EXPECT_EQ(render("{{ '\\ud83d\\ude00' }}"), "\xF0\x9F\x98\x80");
}

TEST(JinjaErrors, NameTheTemplateTheLineAndTheRemedy) {
  EXPECT_EQ(error_of("a\n\n{{ x|uper }}"),
            "test line 3: unknown filter \"uper\"; did you mean \"upper\"?");
  EXPECT_EQ(error_of("\n{{ x is strng }}"),
            "test line 2: unknown test \"strng\"; did you mean \"string\"?");
  EXPECT_EQ(error_of("{% macro m() %}\n{{ 1 // 0 }}{% endmacro %}\n\n{{ m() }}"),
            "test line 2: division by zero");
  EXPECT_EQ(error_of("{% if true %}\n\n"),
            "test line 2: the block that starts in line 1 has no end; expected '{% endif %}'");
}

TEST(JinjaErrors, CarryTheLineAsANumber) {
  try {
    render("\n\n{{ missing.x }}");
    FAIL() << "rendered";
  } catch (const TemplateError& error) {
    EXPECT_EQ(error.line(), 3u);
    EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT);
  }
}

TEST(JinjaErrors, RaiseExceptionKeepsTheTemplatesWords) {
  try {
    render("{{ raise_exception('roles must alternate') }}");
    FAIL() << "rendered";
  } catch (const TemplateRaised& raised) {
    EXPECT_STREQ(raised.what(), "roles must alternate");
  }
}

TEST(JinjaJson, ReadsWhatItWrites) {
  EXPECT_EQ(render("{{ ('{\"a\": [1, 2.5, null, true]}'|from_json).a|tojson }}"),
            "[1, 2.5, null, true]");
  EXPECT_EQ(render("{{ v|tojson }}", {{"v", {{"b", 1}, {"a", 18446744073709551615u}}}}),
            "{\"b\": 1, \"a\": 1.8446744073709552e+19}");
}

TEST(JinjaMutation, IsRefusedUnlessAllowed) {
  const std::string_view source = "{% set l = [1] %}{% set _ = l.append(2) %}{{ l }}";
  EXPECT_EQ(error_of(source),
            "test line 1: append() would change a value, which chat templates may not");
  RenderLimits limits;
  limits.allow_mutation = true;
  EXPECT_EQ(render(source, {}, limits), "[1, 2]");
  EXPECT_EQ(
      render("{% set d = {'a': 1, 'b': 2} %}{% set _ = d.update({'c': 3}) %}{{ d.pop('a') }}{{ d }}"
             "{% set l = [3, 1, 2] %}{% set _ = l.sort() %}{% set _ = l.insert(0, 9) %}"
             "{% set _ = l.extend(l) %}{{ l.pop(0) }}{{ l }}",
             {}, limits),
      "1{'b': 2, 'c': 3}9[1, 2, 3, 9, 1, 2, 3]");
}

TEST(JinjaDicts, StayInOrderAndFindTheirKeysWhenLarge) {
  RenderLimits limits;
  limits.allow_mutation = true;
  EXPECT_EQ(render("{% set d = {} %}{% for i in range(200) %}{% set _ = d.update({'k' ~ i: i}) "
                   "%}{% endfor %}"
                   "{% for i in range(0, 200, 2) %}{% set _ = d.pop('k' ~ i) %}{% endfor %}"
                   "{{ d|length }} {{ d.k199 }} {{ 'k8' in d }} {{ d|first }} {{ d|list|last }}",
                   {}, limits),
            "100 199 False k1 k199");
}

}  // namespace
}  // namespace vernal::jinja

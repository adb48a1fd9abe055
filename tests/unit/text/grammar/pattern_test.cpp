#include "text/grammar/regex/pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vernal::grammar {
namespace {

struct PatternCase {
  std::string pattern;
  std::vector<std::string> yes;
  std::vector<std::string> no;
};

class Search : public testing::TestWithParam<PatternCase> {};

TEST_P(Search, FindsWhatEcmaScriptFinds) {
  RegexPool pool;
  const Pattern pattern = parse_pattern(pool, GetParam().pattern, Anchoring::kSearch);
  EXPECT_EQ(pattern.problem, "");
  for (const std::string& text : GetParam().yes) {
    EXPECT_TRUE(pool.matches(pattern.re, to_code_points(text))) << text;
  }
  for (const std::string& text : GetParam().no) {
    EXPECT_FALSE(pool.matches(pattern.re, to_code_points(text))) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Pattern, Search,
    testing::Values(
        PatternCase{"b", {"b", "abc"}, {"", "ac"}}, PatternCase{"^b", {"b", "bc"}, {"ab"}},
        PatternCase{"b$", {"b", "ab"}, {"bc", "b\n"}}, PatternCase{"^$", {""}, {"a"}},
        PatternCase{"^a|b$", {"ax", "xb"}, {"xa", "bx"}},
        PatternCase{"^(?:a|b$)", {"ax", "b"}, {"bx", "xa"}},
        PatternCase{"(^a|c)d", {"ad", "xcd"}, {"xad"}},
        PatternCase{"^(?!foo)[a-z]+$", {"bar", "fo"}, {"foo", "foobar"}},
        PatternCase{"^(?=.*\\d)(?=.*[a-z]).{4,}$", {"abc1", "1xyz"}, {"abcd", "1234", "a1"}},
        PatternCase{"a(?=b)b", {"ab"}, {"ac"}},
        PatternCase{"^((?!bad).)*$", {"good", ""}, {"a bad"}},
        PatternCase{"^\\d{3}$", {"123"}, {"12", "1234", "\u0661\u0662\u0663"}},
        PatternCase{"^a{2,}$", {"aa", "aaaa"}, {"a"}}, PatternCase{"^x{,3}$", {"x{,3}"}, {"xx"}},
        PatternCase{"^[\\w.-]+$", {"a.b-c_1"}, {"a b"}}, PatternCase{"^[^\\n]$", {"a"}, {"\n"}},
        PatternCase{"^.$", {"\xF0\x9F\x98\x80"}, {"\n", "ab"}},
        PatternCase{"^\\p{Lu}\\p{L}*$", {"\u00c9cole"}, {"\u00e9cole", "E1"}},
        PatternCase{"^\\u00e9\\x41\\u{1F600}$",
                    {"\u00e9"
                     "A\xF0\x9F\x98\x80"},
                    {"e"}},
        PatternCase{"^(?<name>a)+?$", {"aaa"}, {""}}, PatternCase{"^[a\\-z]$", {"-", "a"}, {"b"}},
        PatternCase{"^\\/\\-\\@$", {"/-@"}, {"/-"}}, PatternCase{"(?i)^ab$", {"AB", "aB"}, {"a"}}));

TEST(Pattern, NamesWhatItCannotExpress) {
  RegexPool pool;
  for (const char* text :
       {"(?<=a)b", "(a)\\1", "\\bword", "(?:(?=a).b)*", "(", "a)", "[z-a]", "*"}) {
    EXPECT_NE(parse_pattern(pool, text, Anchoring::kSearch).problem, "") << text;
  }
}

TEST(Pattern, EndsForNestedAndLargeInput) {
  RegexPool pool;
  EXPECT_NE(parse_pattern(pool, std::string(5000, '('), Anchoring::kSearch).problem, "");
  EXPECT_NE(parse_pattern(pool, "a" + std::string(5000, '*'), Anchoring::kSearch).problem, "");
  EXPECT_EQ(parse_pattern(pool, "(a{0,65535}){0,65535}", Anchoring::kSearch).problem, "");
}

}  // namespace
}  // namespace vernal::grammar

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {
namespace {

GrammarOptions spec_options() {
  GrammarOptions options;
  options.order = PropertyOrder::kAny;
  options.additional = AdditionalProperties::kSpec;
  return options;
}

GrammarSource schema(std::string text, GrammarOptions options = spec_options()) {
  GrammarSource source;
  source.text = std::move(text);
  source.options = options;
  return source;
}

bool fits(CompiledGrammar& grammar, const std::string& text) {
  Matcher matcher(grammar);
  return matcher.accept_bytes(text) && matcher.can_end();
}

void expect(const std::string& text, std::initializer_list<const char*> yes,
            std::initializer_list<const char*> no, GrammarOptions options = spec_options()) {
  CompiledGrammar grammar(schema(text, options));
  for (const GrammarWarning& warning : grammar.warnings()) {
    EXPECT_EQ(warning.loss, Loss::kNarrowed) << warning.keyword << ": " << warning.reason;
  }
  for (const char* value : yes) {
    EXPECT_TRUE(fits(grammar, value)) << value << " fits " << text;
  }
  for (const char* value : no) {
    EXPECT_FALSE(fits(grammar, value)) << value << " does not fit " << text;
  }
}

TEST(Schema, AnyJson) {
  expect("{}", {"null", "true", "-1.5e3", "\"a\\n\"", "[]", "{}", "[1, {\"a\": [null]}]", "[1,2]"},
         {"", "nul", "01", "\"\n\"", "[1,]", "{\"a\"}", "[1 , 2]x", "\"\\ud800\"", "'a'"});
}

TEST(Schema, WhitespaceBetweenLexemes) {
  const std::string text = R"({"type":"array","items":{"type":"integer"}})";
  expect(text, {"[1,2]", "[1, 2]", "[\n  1,\n  2\n]", "[]"}, {" [1]", "[1] ", "[1,  2]"});
  GrammarOptions compact = spec_options();
  compact.whitespace = Whitespace::kCompact;
  expect(text, {"[1,2]"}, {"[1, 2]", "[\n1]"}, compact);
  GrammarOptions spaced = spec_options();
  spaced.whitespace = Whitespace::kSpaced;
  expect(text, {"[1, 2]"}, {"[1,2]"}, spaced);
}

TEST(Schema, StringsByDecodedLength) {
  expect(R"({"type":"string","minLength":2,"maxLength":3})",
         {"\"ab\"", "\"a\\u0062\"",
          "\"\xF0\x9F\x98\x80"
          "b\"",
          "\"\\ud83d\\ude00b\"", "\"\\n\\\"\\\\\""},
         {"\"a\"", "\"abcd\"", "\"\\ud83d\\ude00\"", "\"a\xFF\"",
          "\"\xED\xA0\x80"
          "ab\""});
  expect(R"({"pattern":"^\\d+$"})", {"\"12\"", "\"\\u0031\"", "5"},
         {"\"a\"", "\"\\u0061\"", "\"\""});
}

TEST(Schema, LiteralsHaveOneSpelling) {
  expect(R"({"enum":["a\nb","é",1,1.5,true,null,[1],{"k":2}]})",
         {"\"a\\nb\"", "\"é\"", "\"\\u00e9\"", "1", "1.5", "true", "null", "[1]", "{\"k\":2}"},
         {"\"\\u0061\\nb\"", "\"a\"", "2", "false", "[2]", "{\"k\":3}", "{}"});
}

TEST(Schema, ObjectsInAnyOrderAndInTheSchemas) {
  const std::string text =
      R"({"type":"object","properties":{"b":{"type":"integer"},"a":true,"c":true},
                               "required":["b","c"]})";
  expect(text, {R"({"b":1,"c":2})", R"({"c":2,"a":0,"b":1})", R"({"b":1,"x":0,"c":2})"},
         {R"({"b":1})", R"({"b":"1","c":2})", R"({"b":1,"c":2,"b":1})", R"({"b":1,"c":2,)"});
  GrammarOptions ordered;
  expect(text, {R"({"b":1,"c":2})", R"({"b":1,"a":0,"c":2})"},
         {R"({"c":2,"b":1})", R"({"b":1,"x":0,"c":2})", R"({"b":1,"c":2,"a":1})"}, ordered);
  ordered.additional = AdditionalProperties::kSpec;
  expect(text, {R"({"b":1,"c":2,"x":0,"y":1})"}, {R"({"b":1,"x":0,"c":2})"}, ordered);
}

TEST(Schema, KeysByPatternAndName) {
  expect(R"({"patternProperties":{"^x-":{"type":"integer"},"y$":{"minimum":5}},
             "additionalProperties":false,"properties":{"x-a":{"maximum":9}}})",
         {R"({"x-1":0})", R"({"x-y":7})", R"({"ay":9})", R"({"x-a":9})", "{}"},
         {R"({"z":0})", R"({"x-y":4})", R"({"x-y":"a"})", R"({"x-a":10})", R"({"x-a":"a"})"});
  expect(R"({"propertyNames":{"maxLength":2},"minProperties":1,"maxProperties":2})",
         {R"({"a":0})", R"({"a":0,"bc":1})"}, {"{}", R"({"abc":0})", R"({"a":0,"b":1,"c":2})"});
  expect(R"({"properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}})",
         {R"({"a":null,"b":1})", R"({"\u0062":1})"},
         {R"({"\u0061":1})", R"({"a":1})", R"({"b":null})"});
}

TEST(Schema, KeysThatCannotHaveAValueAreNotOffered) {
  CompiledGrammar grammar(
      schema(R"({"properties":{"ab":false,"ac":true},"additionalProperties":false})"));
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept_bytes("{\""));
  EXPECT_EQ(matcher.forced_text(), "ac\":");
}

TEST(Schema, Arrays) {
  expect(
      R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":1})",
      {"[1]", "[1,\"a\"]", "[1,\"a\",null,null]"}, {"[]", "[\"a\"]", "[1,\"a\",1]"});
  expect(R"({"items":[{"type":"integer"}],"additionalItems":false})", {"[]", "[1]"}, {"[1,2]"});
  expect(R"({"contains":{"type":"integer"},"minContains":2,"maxContains":3})",
         {"[1,2]", "[\"a\",1,2,\"b\",3]"}, {"[1]", "[1,2,3,4]", "[]"});
  expect(
      R"({"type":"array","minItems":2,"maxItems":100000000000000000000,"items":{"type":"integer"}})",
      {"[1,2]", "[1,2,3,4,5,6,7,8,9]"}, {"[1]"});
  expect(R"({"type":"array","uniqueItems":true,"items":{"enum":["a","b",3]}})",
         {"[]", "[\"a\",\"b\",3]", "[3,\"a\"]"}, {"[\"a\",\"a\"]", "[3,3]", "[4]"});
}

TEST(Schema, Combinators) {
  expect(R"({"allOf":[{"minimum":3},{"maximum":5}],"type":"integer"})", {"3", "5"},
         {"2", "6", "4.5"});
  expect(R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})", {"7", "\"a\""},
         {"\"ab\"", "7.5"});
  expect(R"({"oneOf":[{"multipleOf":3},{"multipleOf":5}],"type":"integer"})", {"3", "5", "9"},
         {"15", "7", "0"});
  expect(R"({"not":{"type":"object","required":["a"]}})", {"1", "{}", R"({"b":1})"},
         {R"({"a":1})"});
  expect(R"({"not":{"properties":{"a":{"type":"string"}}}})", {R"({"a":1})"},
         {R"({"a":"x"})", "{}", "1"});
  expect(R"({"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]})",
         {R"({"a":1})", R"({"b":1,"c":2})"}, {"{}", R"({"a":1,"b":2})"});
  expect(R"({"if":{"properties":{"k":{"const":1}},"required":["k"]},"then":{"required":["x"]},
             "else":{"required":["y"]}})",
         {R"({"k":1,"x":0})", R"({"k":2,"y":0})", R"({"y":0})"},
         {R"({"k":1})", R"({"k":2,"x":0})"});
  expect(R"({"dependentRequired":{"a":["b"]}})", {"{}", R"({"b":1})", R"({"a":1,"b":1})"},
         {R"({"a":1})"});
}

TEST(Schema, ASchemaAndItsComplement) {
  const std::string part = R"({"type":"object","properties":{"a":{"type":"integer","minimum":2},
      "b":{"enum":["x","y"]}},"required":["a"],"patternProperties":{"^p":{"type":"null"}}})";
  const auto values = {"1",
                       "\"a\"",
                       "null",
                       "[]",
                       "{}",
                       R"({"a":1})",
                       R"({"a":2})",
                       R"({"a":2,"b":"x"})",
                       R"({"a":2,"b":"z"})",
                       R"({"a":2,"p":null})",
                       R"({"a":2,"p":1})",
                       R"({"b":"x"})"};
  CompiledGrammar inside(schema(part));
  CompiledGrammar outside(schema("{\"not\":" + part + "}"));
  CompiledGrammar both(schema(R"({"anyOf":[)" + part + R"(,{"not":)" + part + "}]}"));
  for (const char* value : values) {
    EXPECT_NE(fits(inside, value), fits(outside, value)) << value;
    EXPECT_TRUE(fits(both, value)) << value;
  }
  EXPECT_THROW(CompiledGrammar(schema(R"({"allOf":[)" + part + R"(,{"not":)" + part + "}]}")),
               GrammarError);
}

TEST(Schema, References) {
  expect(
      R"({"$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"},"v":{"type":"integer"}},
             "required":["v"],"additionalProperties":false}},"$ref":"#/$defs/node"})",
      {R"({"v":1})", R"({"v":1,"next":{"v":2,"next":{"v":3}}})"}, {R"({"v":1,"next":{}})", "{}"});
  expect(
      R"({"$id":"http://a/b","$defs":{"x":{"$anchor":"n","type":"null"},"y":{"$id":"c","type":"integer"}},
             "prefixItems":[{"$ref":"#n"},{"$ref":"c"}]})",
      {"[null,1]"}, {"[1,1]", "[null,null]"});
}

TEST(Schema, UnevaluatedProperties) {
  expect(
      R"({"allOf":[{"properties":{"a":true}}],"properties":{"b":true},"unevaluatedProperties":false})",
      {R"({"a":1,"b":2})"}, {R"({"c":1})"});
}

TEST(Schema, RelaxesAloneAndSaysSo) {
  CompiledGrammar grammar(
      schema(R"({"properties":{"a":{"type":"string","pattern":"(?<=x)y","maxLength":3}}})"));
  ASSERT_EQ(grammar.warnings().size(), 1U);
  EXPECT_EQ(grammar.warnings()[0].pointer, "#/properties/a");
  EXPECT_EQ(grammar.warnings()[0].keyword, "pattern");
  EXPECT_TRUE(fits(grammar, R"({"a":"zzz"})"));
  EXPECT_FALSE(fits(grammar, R"({"a":"zzzz"})"));
  GrammarOptions strict;
  strict.strict = true;
  try {
    CompiledGrammar refused(schema(R"({"properties":{"a":{"pattern":"(?<=x)y"}}})", strict));
    FAIL();
  } catch (const GrammarError& error) {
    EXPECT_EQ(error.pointer(), "#/properties/a");
    EXPECT_EQ(error.keyword(), "pattern");
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
  }
}

TEST(Schema, RefusesWhatCannotBe) {
  for (const char* text :
       {"", "[", "5", R"({"$ref":"#"})", R"({"anyOf":[{"$ref":"#"}]})", "false",
        R"({"type":"integer","minimum":3,"maximum":2})",
        R"({"required":["a"],"properties":{"a":false},"type":"object"})",
        R"({"type":"object","properties":{"n":{"$ref":"#"}},"required":["n"]})"}) {
    EXPECT_THROW(CompiledGrammar(schema(text)), GrammarError) << text;
  }
  EXPECT_THROW(CompiledGrammar(schema(std::string(100'000, '['))), GrammarError);
}

TEST(Schema, NestedChoicesDoNotMultiply) {
  // Five shapes that contain each other: without sharing, every level would multiply the ways by 80.
  std::string defs;
  std::string refs;
  for (const char* name : {"p", "q", "r", "s", "t"}) {
    refs += std::string(refs.empty() ? "" : ",") + R"({"$ref":"#/$defs/)" + name + "\"}";
  }
  for (const char* name : {"p", "q", "r", "s", "t"}) {
    defs += std::string(defs.empty() ? "" : ",") + "\"" + name +
            R"(":{"type":"object","required":[")" + name + R"("],"properties":{")" + name +
            R"(":{"oneOf":[)" + refs + R"(,{"type":"null"}]}}})";
  }
  CompiledGrammar grammar(schema("{\"$defs\":{" + defs + "},\"oneOf\":[" + refs + "]}"));
  EXPECT_TRUE(fits(grammar, R"({"p":{"q":{"r":{"s":{"t":{"p":null}}}}}})"));
  EXPECT_FALSE(fits(grammar, R"({"p":{"q":{"x":1}}})"));
}

TEST(Matcher, ACopyUndoes) {
  CompiledGrammar grammar(schema(R"({"type":"array","items":{"type":"boolean"}})"));
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept_bytes("[true"));
  const Matcher before = matcher;
  EXPECT_TRUE(matcher.accept_bytes("]"));
  EXPECT_TRUE(matcher.can_end());
  matcher = before;
  EXPECT_FALSE(matcher.can_end());
  EXPECT_FALSE(matcher.accept_bytes("x"));
  EXPECT_TRUE(matcher.accept_bytes(",false]"));
  EXPECT_TRUE(matcher.can_end());
}

TEST(Matcher, ForcesWhatHasNoChoice) {
  CompiledGrammar grammar(schema(R"({"type":"object","properties":{"latitude":{"const":"north"}},
                                     "required":["latitude"],"additionalProperties":false})",
                                 {.whitespace = Whitespace::kCompact}));
  Matcher matcher(grammar);
  EXPECT_EQ(matcher.forced_text(), R"({"latitude":"north"})");
  ASSERT_TRUE(matcher.accept_bytes(matcher.forced_text()));
  EXPECT_TRUE(matcher.can_end());
  EXPECT_EQ(matcher.forced_text(), "");
}

}  // namespace
}  // namespace vernal::grammar

// No answer is led to where it cannot be completed.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {
namespace {

CompiledGrammar compile(const std::string& schema, PropertyOrder order) {
  GrammarSource source;
  source.text = schema;
  source.options.order = order;
  source.options.additional = AdditionalProperties::kSpec;
  source.options.whitespace = Whitespace::kCompact;
  return CompiledGrammar(source);
}

/// Looks at each beginning under both orders of keys.
void expect_beginnings(const std::string& schema, const std::vector<std::string>& yes,
                       const std::vector<std::string>& no) {
  for (const PropertyOrder order : {PropertyOrder::kAny, PropertyOrder::kSchema}) {
    CompiledGrammar grammar = compile(schema, order);
    for (const std::string& text : yes) {
      EXPECT_TRUE(Matcher(grammar).accept_bytes(text)) << text << " begins " << schema;
    }
    for (const std::string& text : no) {
      EXPECT_FALSE(Matcher(grammar).accept_bytes(text)) << text << " cannot begin " << schema;
    }
  }
}

// Some key is 1 or 3, some key 2, 7 or 9, and so on; one digit each, three at most.
constexpr const char* kSomeKeys = R"({
  "type": "object", "patternProperties": {"^[0-9]$": {"const": 0}}, "additionalProperties": false,
  "not": {"anyOf": [{"propertyNames": {"not": {"enum": ["1", "3"]}}},
                    {"propertyNames": {"not": {"enum": ["2", "7", "9"]}}},
                    {"propertyNames": {"not": {"enum": ["2", "3", "11"]}}},
                    {"propertyNames": {"not": {"enum": ["2", "4", "5"]}}},
                    {"propertyNames": {"not": {"enum": ["1", "2", "5"]}}}]},
  "maxProperties": 3})";
constexpr const char* kLeastKeys = R"({
  "type": "object", "properties": {"a": {"const": 0}, "b": {"const": 0}, "c": {"const": 0}},
  "additionalProperties": false, "minProperties": 2})";
constexpr const char* kSomeOfAllNames = R"({
  "type": "object", "additionalProperties": {"const": 0}, "maxProperties": 2,
  "not": {"propertyNames": {"not": {"pattern": "^x"}}}})";
constexpr const char* kOneKeyInTwo = R"({
  "type": "object", "additionalProperties": {"const": 0}, "maxProperties": 1,
  "allOf": [{"not": {"propertyNames": {"not": {"pattern": "^x"}}}},
            {"not": {"propertyNames": {"not": {"pattern": "9"}}}}]})";
constexpr const char* kContainedWithin = R"({
  "type": "array", "items": {"enum": [0, 1]}, "contains": {"const": 1}, "minContains": 2, "maxItems": 3})";
constexpr const char* kContainedFirst = R"({
  "type": "array", "prefixItems": [{"enum": [0, "a"]}], "items": {"const": "b"},
  "contains": {"type": "integer"}})";
constexpr const char* kTwoContained = R"({
  "type": "array", "items": {"enum": [0, 1, 2]}, "maxItems": 2,
  "allOf": [{"contains": {"const": 1}}, {"contains": {"const": 2}}]})";

TEST(Completion, KeepsRoomForKeysThatConditionsNeed) {
  expect_beginnings(kSomeKeys,
                    {R"({"1":0,"2":0)", R"({"2":0,"3":0,"5":0})", R"({"0":0,"1":0,"2":0})"},
                    {R"({"0":0,"4":)", R"({"4":0,"6":)", R"({"0":0,"2":0,"4":)"});
  expect_beginnings(kSomeOfAllNames, {R"({"a":0,"x1":0})", R"({"x":0,"b":0})", R"({"a":0,"x)"},
                    {R"({"a":0,"b)"});
  expect_beginnings(kOneKeyInTwo, {R"({"xa9b":0})", R"({"x)"}, {R"({"a)", R"({"xa")"});
}

TEST(Completion, OffersAsManyKeysAsMustCome) {
  expect_beginnings(kLeastKeys, {R"({"a":0,"c":0})", R"({"b":0,"c":0})"}, {R"({"a":0})"});
  CompiledGrammar in_order = compile(kLeastKeys, PropertyOrder::kSchema);
  EXPECT_FALSE(Matcher(in_order).accept_bytes(R"({"c")"));
}

TEST(Completion, KeepsRoomForItemsThatMustBeContained) {
  expect_beginnings(kContainedWithin, {"[0,1,1]", "[1,0,1]", "[1,1,0]", "[1,1]"},
                    {"[0,0", "[0,1,0", "[1,0,0", "[0]"});
  expect_beginnings(kContainedFirst, {R"([0,"b"])"}, {R"(["a)"});
  expect_beginnings(kTwoContained, {"[1,2]", "[2,1]"}, {"[0", "[1,1", "[2,0"});
}

TEST(Completion, FewKeysThatNoSchemaNamesComeOnceInAnyOrder) {
  const char* digits = R"({"type":"object","patternProperties":{"^[0-9]$":{"const":0}},
                           "properties":{"a":{"const":0}},"additionalProperties":false})";
  expect_beginnings(digits, {R"({"a":0,"2":0,"1":0})", R"({"2":0,"1":0})"},
                    {R"({"1":0,"1")", R"({"a":0,"2":0,"1":0,"2")", R"({"10)"});
}

TEST(Completion, RefusesWhatNoObjectOrArrayFits) {
  for (const char* schema :
       {R"({"type":"object","properties":{"a":{}},"additionalProperties":false,"minProperties":2})",
        R"({"type":"object","patternProperties":{"^[0-9]$":{}},"additionalProperties":false,
            "minProperties":11})",
        R"({"type":"array","items":{"enum":[0,1]},"maxItems":1,
            "allOf":[{"contains":{"const":0}},{"contains":{"const":1}}]})"}) {
    EXPECT_THROW(compile(schema, PropertyOrder::kAny), GrammarError) << schema;
  }
}

// The search is bounded in depth and work.
TEST(Completion, OfVeryManyKeysTakesLittle) {
  std::string keys;
  for (int i = 0; i < 30'000; ++i) keys += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":{}";
  for (const PropertyOrder order : {PropertyOrder::kAny, PropertyOrder::kSchema}) {
    CompiledGrammar grammar = compile(
        R"({"type":"object","minProperties":2,"maxProperties":20000,"additionalProperties":false,
            "not":{"propertyNames":{"not":{"pattern":"9"}}},"properties":{)" +
            keys + "}}",
        order);
    EXPECT_TRUE(Matcher(grammar).accept_bytes(R"({"k1":0,"k9":0})"));
  }
}

/// Whether bytes follow that end the value.
bool can_complete(const Matcher& begun, int depth, int& budget) {
  if (begun.can_end()) return true;
  if (depth == 0 || --budget < 0) return false;
  for (const char byte : std::string("\"9x}]:,012345678abcd")) {
    Matcher next = begun;
    if (next.accept_bytes(std::string(1, byte)) && can_complete(next, depth - 1, budget)) {
      return true;
    }
  }
  return false;
}

// Wherever chance leads.
TEST(Completion, IsPossibleFromEveryPlace) {
  std::mt19937 generator(1);
  for (const char* schema : {kSomeKeys, kLeastKeys, kSomeOfAllNames, kOneKeyInTwo, kContainedWithin,
                             kContainedFirst, kTwoContained}) {
    for (const PropertyOrder order : {PropertyOrder::kAny, PropertyOrder::kSchema}) {
      CompiledGrammar grammar = compile(schema, order);
      for (int walk = 0; walk < 20; ++walk) {
        Matcher matcher(grammar);
        std::string text;
        for (int tries = 0; tries < 400 && text.size() < 24; ++tries) {
          const std::string bytes = "{}[]\",:0123456789abx";
          const char byte = bytes[generator() % bytes.size()];
          Matcher next = matcher;
          if (!next.accept_bytes(std::string(1, byte))) continue;
          matcher = next;
          text += byte;
          int budget = 20'000;
          ASSERT_TRUE(can_complete(matcher, 60, budget)) << text << " under " << schema;
        }
      }
    }
  }
}

}  // namespace
}  // namespace vernal::grammar

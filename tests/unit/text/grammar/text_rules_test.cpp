#include <gtest/gtest.h>

#include <string>

#include "text/grammar/error.hpp"
#include "text/grammar/grammar.hpp"
#include "text/grammar/matcher.hpp"

namespace vernal::grammar {
namespace {

bool fits(const GrammarSource& source, const std::string& text) {
  CompiledGrammar grammar(source);
  Matcher matcher(grammar);
  return matcher.accept_bytes(text) && matcher.can_end();
}

TEST(RegexAnswer, IsMatchedAsAWhole) {
  GrammarSource source;
  source.kind = GrammarSource::Kind::kRegex;
  source.text = "[a-c]+(?:-\\d{2})?";
  EXPECT_TRUE(fits(source, "abc"));
  EXPECT_TRUE(fits(source, "a-12"));
  EXPECT_FALSE(fits(source, "a-1"));
  EXPECT_FALSE(fits(source, "xa"));
  source.text = ".*";
  EXPECT_TRUE(fits(source, ""));
  EXPECT_TRUE(fits(source, "\xC3\xA9"));
  EXPECT_FALSE(fits(source, "\xC3"));
  EXPECT_FALSE(fits(source, "\xED\xA0\x80"));
  for (const char* wrong : {"(", "(?<=a)b", "a(?=b)c"}) {
    source.text = wrong;
    EXPECT_THROW(CompiledGrammar{source}, GrammarError) << wrong;
  }
}

TEST(Choices, AreTheOnlyAnswers) {
  GrammarSource source;
  source.kind = GrammarSource::Kind::kChoices;
  source.choices = {"yes", "no", "not sure", "\xE2\x9C\x93"};
  for (const std::string& choice : source.choices) {
    EXPECT_TRUE(fits(source, choice));
  }
  EXPECT_FALSE(fits(source, "not"));
  EXPECT_FALSE(fits(source, "yes!"));
  source.choices = {"a", ""};
  EXPECT_THROW(CompiledGrammar{source}, GrammarError);
  source.choices.clear();
  EXPECT_THROW(CompiledGrammar{source}, GrammarError);
}

}  // namespace
}  // namespace vernal::grammar

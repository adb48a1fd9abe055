#include "text/grammar/forced_tokens.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/byte_tokenizer.hpp"
#include "text/grammar/mask/vocabulary.hpp"
#include "unit/text/tokenizer/hand_made_vocabulary.hpp"

namespace vernal::grammar {
namespace {

GrammarSource regex(std::string text) {
  GrammarSource source;
  source.kind = GrammarSource::Kind::kRegex;
  source.text = std::move(text);
  return source;
}

class ForcedTokens : public testing::Test {
 protected:
  std::vector<TokenId> forced(const std::string& pattern, const std::string& begun = "",
                              std::vector<TokenId> recent = {}) {
    CompiledGrammar grammar(regex(pattern), GrammarVocabulary::of(tokenizer_, tokenizer_.size()));
    Matcher matcher(grammar);
    EXPECT_TRUE(matcher.accept_bytes(begun));
    return forced_tokens(matcher, tokenizer_, recent);
  }

  test::HelloVocabulary vocabulary_;
  Tokenizer tokenizer_{vocabulary_.get()};
};

TEST_F(ForcedTokens, AreThoseOfTheTokenizer) {
  EXPECT_EQ(forced("hello w!"), tokenizer_.encode("hello w!"));
}

TEST_F(ForcedTokens, StopWhereAnAllowedTokenGoesFurther) {
  // "hell" may go on as "hello".
  EXPECT_EQ(forced("xhell[ao]"), tokenizer_.encode("x"));
  EXPECT_EQ(forced("xhell[ab]"), tokenizer_.encode("xhell"));
}

TEST_F(ForcedTokens, AreNoneWhereThereIsAChoiceOrAnEnd) {
  EXPECT_TRUE(forced("[ab]").empty());
  EXPECT_TRUE(forced("(?:hello)?").empty());
}

TEST_F(ForcedTokens, LookBack) {
  // After "hell" as one token, "o" alone is not how the tokenizer cuts "hello".
  const std::vector<TokenId> hell = tokenizer_.encode("hell");
  ASSERT_EQ(hell.size(), 1U);
  EXPECT_TRUE(forced("hello!", "hell", hell).empty());
  EXPECT_EQ(forced("hell!", "hell", hell), tokenizer_.encode("!"));
}

TEST_F(ForcedTokens, GiveTheSameTokensAsTheWholeText) {
  const std::string answer = R"({"hello w":"hello","he":[]})";
  GrammarSource source;
  source.text =
      R"({"type":"object","properties":{"hello w":{"const":"hello"},"he":{"type":"array","maxItems":0}},
                    "required":["hello w","he"],"additionalProperties":false})";
  source.options.whitespace = Whitespace::kCompact;
  CompiledGrammar grammar(source, GrammarVocabulary::of(tokenizer_, tokenizer_.size()));
  Matcher matcher(grammar);
  EXPECT_EQ(forced_tokens(matcher, tokenizer_, {}), tokenizer_.encode(answer));
}

TEST(ForcedControlTokens, ComeWhereTheGrammarNamesThemAndNowhereElse) {
  const auto tokenizer = test::make_byte_tokenizer();
  GrammarSource source;
  source.kind = GrammarSource::Kind::kCalls;
  source.calls.open = "<" + control_bytes(test::kStartToken) + "f";
  source.calls.is_list = false;
  CalledTool tool{.name = "f", .schema = R"({"properties": {"a": {"const": true}}})", .parts = {}};
  tool.parts = {{CallPart::Kind::kArguments, {}}, {CallPart::Kind::kPattern, "[a-z]+"}};
  source.calls.tools = {tool};
  CompiledGrammar grammar(source, GrammarVocabulary::of(*tokenizer, tokenizer->size()));
  Matcher matcher(grammar);
  const std::vector<TokenId> head = {'<', test::kStartToken, 'f', '{'};
  EXPECT_EQ(forced_tokens(matcher, *tokenizer, {}), head);
  for (const TokenId token : head) EXPECT_TRUE(matcher.accept(token));
  EXPECT_TRUE(matcher.accept_bytes("}x"));
  EXPECT_FALSE(matcher.accept(test::kStartToken));
  EXPECT_FALSE(matcher.accept(0xFF)) << "the byte that stands for control tokens is no token";
}

}  // namespace
}  // namespace vernal::grammar

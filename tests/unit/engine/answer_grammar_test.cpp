// Which tokens may come in an answer that is held to a grammar and may think or call a tool.
#include "engine/answer/answer_grammar.hpp"

#include <gtest/gtest.h>

#include "engine/request/grammar_store.hpp"
#include "support/byte_tokenizer.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

using test::kEndToken;
using test::kThinkToken;

class AnswerGrammarTest : public testing::Test {
 protected:
  AnswerGrammar made(const AnswerFormat& format = {}) {
    grammar::GrammarSource source;
    source.kind = grammar::GrammarSource::Kind::kChoices;
    source.choices = {"42", "47"};
    return {store_.get(source).grammar, format, document_, *tokenizer_};
  }

  static std::vector<TokenId> tokens_in(std::span<const std::uint32_t> mask) {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < mask.size() * 32; ++i) {
      if ((mask[i / 32] >> (i % 32) & 1U) != 0) tokens.push_back(static_cast<TokenId>(i));
    }
    return tokens;
  }

  const std::shared_ptr<const Tokenizer> tokenizer_ = test::make_byte_tokenizer();
  GrammarStore store_{*tokenizer_};
  RequestDocument document_;
  const AnswerFormat thinks_{find_answer_syntax("hermes"), false};
};

using Tokens = std::vector<TokenId>;

TEST_F(AnswerGrammarTest, HoldsThePlainAnswer) {
  AnswerGrammar grammar = made();
  EXPECT_EQ(tokens_in(grammar.mask(false)), Tokens{'4'});
  grammar.accept('4', false);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'2', '7'}));
  EXPECT_FALSE(grammar.can_end());
  grammar.accept('7', false);
  EXPECT_EQ(tokens_in(grammar.mask(false)), Tokens{kEndToken});
  EXPECT_TRUE(grammar.can_end());
}

TEST_F(AnswerGrammarTest, LeavesThinkingFreeAndHoldsWhatFollows) {
  AnswerGrammar grammar = made(thinks_);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'4', kThinkToken}));
  grammar.accept(kThinkToken, false);
  EXPECT_TRUE(grammar.mask(true).empty());
  grammar.accept('x', true);
  EXPECT_EQ(tokens_in(grammar.mask(false)), Tokens{'4'}) << "thinking does not begin again";
}

TEST_F(AnswerGrammarTest, NeverThinksInTheMiddleOfTheContent) {
  AnswerGrammar grammar = made(thinks_);
  grammar.accept('4', false);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'2', '7'}));
}

TEST_F(AnswerGrammarTest, GoesOnFromWhatTheAnswerBeginsWith) {
  document_.answer_beginning = "4";
  AnswerGrammar grammar = made(thinks_);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'2', '7'}));
  document_.answer_beginning = "5";
  EXPECT_THROW(made(), RequestError);
}

TEST_F(AnswerGrammarTest, LeavesEverythingFreeWithoutAGrammar) {
  AnswerGrammar grammar(nullptr, thinks_, document_, *tokenizer_);
  EXPECT_TRUE(grammar.mask(false).empty());
  grammar.accept('x', false);
  EXPECT_FALSE(grammar.can_end());
}

TEST_F(AnswerGrammarTest, KeepsCompiledGrammars) {
  grammar::GrammarSource source;
  source.text = R"({"type": "object"})";
  const auto first = store_.get(source).grammar;
  EXPECT_EQ(store_.get(source).grammar, first);
  source.options.strict = true;
  EXPECT_NE(store_.get(source).grammar, first) << "another option, another grammar";
}

}  // namespace
}  // namespace vernal

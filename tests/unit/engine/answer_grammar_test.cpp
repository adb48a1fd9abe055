// Which tokens may come in an answer that is held to a grammar and may think or call a tool.
#include "engine/answer/answer_grammar.hpp"

#include <gtest/gtest.h>

#include "engine/request/answer_rules.hpp"
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
    return {{.content = store_.get(source).grammar}, format, document_, *tokenizer_};
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
  AnswerGrammar grammar({}, thinks_, document_, *tokenizer_);
  EXPECT_TRUE(grammar.mask(false).empty());
  grammar.accept('x', false);
  EXPECT_FALSE(grammar.can_end());
}

// ---- calls

class CallGrammarTest : public AnswerGrammarTest {
 protected:
  /// Of a request with one tool and these members.
  AnswerGrammar of_request(const std::string& members, const AnswerFormat& format) {
    document_ = parse_request(R"({"messages": [{"role": "user", "content": "x"}], "tools": [
        {"name": "f", "parameters": {"type": "object", "required": ["a"], "properties": {
          "a": {"type": "boolean"}}}}])" +
                                  members + "}",
                              {}, false);
    warnings_.clear();
    return {answer_rules(store_, document_, format, *tokenizer_, warnings_), format, document_,
            *tokenizer_};
  }

  static bool is_forced(const std::string& text, AnswerGrammar& grammar) {
    for (const char letter : text) {
      if (tokens_in(grammar.mask(false)) != Tokens{static_cast<unsigned char>(letter)})
        return false;
      grammar.accept(static_cast<unsigned char>(letter), false);
    }
    return true;
  }

  static void write(const std::string& text, AnswerGrammar& grammar) {
    for (const char letter : text) grammar.accept(static_cast<unsigned char>(letter), false);
  }

  Warnings warnings_;
};

constexpr const char* kHead = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": ";

TEST_F(CallGrammarTest, RequiredCallsAreHeldFromTheFirstToken) {
  AnswerGrammar grammar = of_request(R"(, "tool_choice": "required")", thinks_);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'<', kThinkToken}));
  EXPECT_TRUE(grammar.forced(false, {}, *tokenizer_).empty()) << "it may think first";
  write("<", grammar);
  EXPECT_TRUE(is_forced(std::string(kHead).substr(1), grammar));
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'f', 't'}));
  write("true", grammar);
  EXPECT_TRUE(is_forced("}}\n</tool_call>", grammar));
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'\n', '<', kEndToken})) << "or another call";
  EXPECT_TRUE(grammar.can_end());
  grammar.accept('\n', false);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'<', kEndToken}));
}

TEST_F(CallGrammarTest, ANamedToolIsCalledOnce) {
  AnswerGrammar grammar =
      of_request(R"(, "tool_choice": {"name": "f"})", {find_answer_syntax("llama3"), false});
  const std::string head = R"({"name": "f", "parameters": {"a": )";
  EXPECT_EQ(grammar.forced(false, {}, *tokenizer_), test::byte_tokens(head));
  write(head + "false}}", grammar);
  EXPECT_EQ(tokens_in(grammar.mask(false)), Tokens{kEndToken});
}

TEST_F(CallGrammarTest, SleepsUntilACallBeginsAndAfterIt) {
  AnswerGrammar grammar = of_request("", thinks_);
  EXPECT_TRUE(grammar.mask(false).empty());
  write("I <tool_cal <<tool_call", grammar);
  EXPECT_TRUE(grammar.mask(false).empty());
  write(">", grammar);
  EXPECT_TRUE(is_forced(std::string(kHead).substr(11), grammar));
  write("true", grammar);
  EXPECT_TRUE(is_forced("}}\n</tool_call>", grammar));
  EXPECT_TRUE(grammar.mask(false).empty());
  EXPECT_FALSE(grammar.can_end()) << "nothing is held";
  write("\nAnd <tool_call>", grammar);
  EXPECT_TRUE(is_forced("\n{", grammar)) << "another call";
}

TEST_F(CallGrammarTest, HoldsABareObjectOnceItCanOnlyBeACall) {
  AnswerGrammar grammar = of_request("", {find_answer_syntax("llama3"), false});
  const std::string head = R"({"name": "f", "parameters": {)";
  write("Such as " + head, grammar);
  EXPECT_TRUE(grammar.mask(false).empty()) << "it does not begin the line";
  write("\n{\"name\": \"g\", \"parameters\": {", grammar);
  EXPECT_TRUE(grammar.mask(false).empty()) << "no such tool is offered";
  write("\n  " + head, grammar);
  EXPECT_TRUE(is_forced("\"a\": ", grammar));
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'f', 't'}));
  write("true", grammar);
  EXPECT_TRUE(is_forced("}}", grammar));
  EXPECT_TRUE(grammar.mask(false).empty());
  write("\n" + head, grammar);
  EXPECT_TRUE(is_forced("\"a\": ", grammar)) << "another call";
}

TEST_F(CallGrammarTest, HoldsACallAtTheBeginningOfTheAnswer) {
  AnswerGrammar grammar = of_request("", {find_answer_syntax("llama3"), false});
  write(R"({"name": "f", "parameters": {)", grammar);
  EXPECT_TRUE(is_forced("\"a\": ", grammar));
}

TEST_F(CallGrammarTest, HoldsAListOfCallsFromTheFirstArgument) {
  AnswerGrammar grammar = of_request("", {find_answer_syntax("pythonic"), false});
  write("[f(x)](link)\n[f(a", grammar);
  EXPECT_TRUE(grammar.mask(false).empty());
  write("=", grammar);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'F', 'T'}));
  write("True), f(", grammar);
  EXPECT_TRUE(is_forced("a=", grammar)) << "every call of the list";
}

TEST_F(CallGrammarTest, HoldsWhatARecipientGets) {
  AnswerGrammar grammar = of_request("", {find_answer_syntax("functionary_v32"), false});
  AnswerGrammar later = grammar;
  write("f\n{", grammar);
  EXPECT_TRUE(is_forced("\"a\": ", grammar)) << "the prompt has the mark before it";
  write("all\nf\n{ >>>f\n{", later);
  EXPECT_TRUE(later.mask(false).empty());
  write("\n>>>f\n{", later);
  EXPECT_TRUE(is_forced("\"a\": ", later));
}

TEST_F(CallGrammarTest, HoldsATagWithTheNameOfAnOfferedTool) {
  AnswerGrammar grammar = of_request("", {find_answer_syntax("functionary_v31"), false});
  write("Use <function=g>{ or <function=f>{", grammar);
  EXPECT_TRUE(is_forced("\"a\": ", grammar));
}

TEST_F(CallGrammarTest, AnAnswerIsContentOfTheFormatOrACall) {
  AnswerGrammar grammar =
      of_request(R"(, "format": {"type": "choices", "choices": ["42"]})", thinks_);
  EXPECT_EQ(tokens_in(grammar.mask(false)), (Tokens{'4', '<', kThinkToken}));
  AnswerGrammar content = grammar;
  write("42", content);
  EXPECT_EQ(tokens_in(content.mask(false)), Tokens{kEndToken});
  write("<", grammar);
  EXPECT_TRUE(is_forced(std::string(kHead).substr(1), grammar));
}

TEST_F(CallGrammarTest, SaysWhatCannotBeHeld) {
  const auto with = [](const std::string& members) {
    return R"({"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f", )" +
           members + "}]}";
  };
  const auto rules = [&](const std::string& members, const char* family = "hermes") {
    document_ = parse_request(with(members), {}, false);
    const AnswerFormat format{find_answer_syntax(family), false};
    warnings_.clear();
    return answer_rules(store_, document_, format, *tokenizer_, warnings_);
  };
  const std::string relaxed = R"("parameters": {"properties": {"a": {"pattern": "(?<=b)c"}}})";
  EXPECT_NE(rules(relaxed).calls, nullptr);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("f#/properties/a"), std::string::npos) << warnings_[0];
  EXPECT_EQ(rules(R"("parameters": {"type": "string"})").calls, nullptr);
  EXPECT_EQ(warnings_.size(), 1U) << "no object fits, so the call is free";
  const std::pair<std::string, const char*> refused[] = {
      {relaxed + R"(, "strict": true)", "hermes"},
      {R"("parameters": {"type": "string"}, "strict": true)", "hermes"},
      {R"("strict": true)", "llama3"}};
  for (const auto& [members, family] : refused) {
    try {
      rules(members, family);
      FAIL() << members;
    } catch (const RequestError& error) {
      EXPECT_NE(std::string(error.what()).find("json-schema-to-grammar"), std::string::npos);
    }
  }
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

// Tokens that a grammar leaves no choice about are appended and not drawn. That is a matter of speed
// alone: a greedy answer is the one that drawing each of its tokens gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "engine/answer/answer_grammar.hpp"
#include "engine/request/answer_rules.hpp"
#include "engine/request/grammar_store.hpp"
#include "support/byte_tokenizer.hpp"
#include "unit/engine/engine_bench.hpp"

namespace vernal {
namespace {

using test::Answer;
using test::EngineBench;
using test::kByteVocabularySize;
using test::kEndToken;

/// Another likeliest token after every text, so that no forced token could be skipped, doubled or
/// changed without another answer. Printable ones are likelier, and the end is.
void predict_noise(std::span<const TokenId> tokens, std::span<float> logits) {
  std::uint64_t state = 1469598103934665603ULL;
  for (const TokenId token : tokens) {
    state = (state ^ static_cast<std::uint64_t>(token)) * 1099511628211ULL;
  }
  for (std::size_t i = 0; i < logits.size(); ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const bool is_likely = (i >= ' ' && i < 127) || i == static_cast<std::size_t>(kEndToken);
    logits[i] = static_cast<float>(state >> 40U) / static_cast<float>(1U << 22U) +
                (is_likely ? 10.0F : 0.0F);
  }
}

/// The greedy answer, each of its tokens drawn.
std::string drawn_answer(const std::string& document_text, std::size_t most) {
  const std::shared_ptr<const Tokenizer> tokenizer = test::make_byte_tokenizer();
  const RequestDocument document = parse_request(document_text, {}, false);
  GrammarStore store(*tokenizer);
  Warnings warnings;
  AnswerGrammar grammar(answer_rules(store, document, {}, *tokenizer, warnings), {}, document,
                        *tokenizer);
  std::vector<TokenId> tokens = test::byte_tokens("p");
  std::string text;
  std::vector<float> logits(kByteVocabularySize);
  while (text.size() < most) {
    predict_noise(tokens, logits);
    const std::span<const std::uint32_t> mask = grammar.mask(false);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const bool is_allowed = mask.empty() || (mask[i / 32] >> (i % 32) & 1U) != 0;
      if (!is_allowed) logits[i] = -std::numeric_limits<float>::infinity();
    }
    const auto token =
        static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (token == kEndToken) break;
    grammar.accept(token, false);
    tokens.push_back(token);
    text += static_cast<char>(token);
  }
  return text;
}

TEST(ForcedTokensOfAnswers, AreWhatDrawingGives) {
  for (
      const char* const format : {
          R"({"type": "json_schema", "schema": {"type": "object", "properties": {
               "a_long_name": {"type": "string", "maxLength": 20},
               "another_long_name": {"type": "array", "maxItems": 3, "items": {"enum": ["first", "second"]}},
               "n": {"type": "integer", "minimum": 0, "maximum": 99}},
               "required": ["a_long_name", "another_long_name", "n"]}})",
          R"({"type": "regex", "pattern": "(?:the cat|the dog) sat on (?:a|the) mat[a-z]{3}, then left"})",
          R"({"type": "choices", "choices": ["north by west", "north by east", "south"]})",
      }) {
    for (const std::string& more : {std::string(), std::string(R"(, "max_tokens": 9)")}) {
      const std::string document = R"({"prompt": "p", "sampling": {"temperature": 0}, "format": )" +
                                   std::string(format) + more + "}";
      EngineBench bench(predict_noise);
      const Answer answer = bench.run(document);
      EXPECT_EQ(answer.texts[0], drawn_answer(document, more.empty() ? 2000 : 9)) << document;
      EXPECT_GT(bench.metric("vernal_forced_tokens_total"), 0.0) << "the test would say nothing";
    }
  }
}

TEST(ForcedTokensOfAnswers, AreWhatDrawingGivesWithGuessesToo) {
  const std::string document =
      R"({"prompt": "p", "sampling": {"temperature": 0}, "format": {"type": "regex",
          "pattern": "(?:the cat sat[a-c]{2} on the mat, ){12}"}})";
  test::BenchOptions options;
  options.speculation = {Draft::kNgram, 6};
  options.rows_per_step = 32;
  EngineBench bench(predict_noise, options);
  EXPECT_EQ(bench.run(document).texts[0], drawn_answer(document, 2000));
  EXPECT_GT(bench.metric("vernal_forced_tokens_total"), 100.0);
}

}  // namespace
}  // namespace vernal

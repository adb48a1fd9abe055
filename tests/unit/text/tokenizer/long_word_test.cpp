// Words of a million characters: the work must grow with the text, not with its square. The work is
// counted, not measured as time.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "hand_made_vocabulary.hpp"
#include "text/tokenizer/byte_pair_encoder.hpp"
#include "text/tokenizer/sentence_piece_encoder.hpp"
#include "text/tokenizer/symbol_merger.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::test {
namespace {

constexpr std::size_t kMillion = 1'000'000;

// Adds runs of 1, 2, 4, ... 1024 "a". Each is a merge of two halves.
void add_runs(HandMadeVocabulary& vocabulary) {
  float score = 0.0F;
  for (std::size_t length = 2; length <= 1024; length *= 2) {
    const std::string half(length / 2, 'a');
    vocabulary.add(std::string(length, 'a'), TokenType::kNormal, score);
    vocabulary.add_merge(fmt::format("{0} {0}", half));
    score -= 1.0F;
  }
}

std::string repeated(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  return text;
}

template <typename Encoder>
std::uint64_t pairs_examined(const Encoder& encoder, std::string_view text) {
  SymbolMerger merger;
  std::vector<TokenId> tokens;
  encoder.encode(text, merger, tokens);
  EXPECT_FALSE(tokens.empty());
  return merger.pairs_examined();
}

TEST(LongWord, CostsThreePairsForEachByteAtMostInBytePairEncoding) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.get().pre_tokenizer = "qwen2";
  vocabulary.add_byte_alphabet();
  add_runs(vocabulary);
  const TokenTable table(vocabulary.get());
  const BytePairEncoder encoder(vocabulary.get(), table);
  for (const char* piece : {"a", "ab", "aaab", "aaaaaaaaaaaaaaaaab"}) {
    // Each symbol is examined with its left neighbour once. There are fewer than n merges, and each
    // looks to the left and to the right.
    EXPECT_LE(pairs_examined(encoder, repeated(piece, kMillion)), 3 * kMillion + 100) << piece;
  }
}

TEST(LongWord, CostsThreePairsForEachByteAtMostInSentencePiece) {
  HandMadeVocabulary vocabulary(TokenizerModel::kSentencePiece);
  vocabulary.add_byte_tokens();
  vocabulary.add("a");
  vocabulary.add("b");
  add_runs(vocabulary);
  const TokenTable table(vocabulary.get());
  const SentencePieceEncoder encoder(vocabulary.get(), table);
  for (const char* piece : {"a", "ab", "aaab", "aaaaaaaaaaaaaaaaab"}) {
    EXPECT_LE(pairs_examined(encoder, repeated(piece, kMillion)), 3 * kMillion + 100) << piece;
  }
}

TEST(LongWord, ComesBackWholeWhateverItIsMadeOf) {
  HelloVocabulary vocabulary;
  const Tokenizer tokenizer(vocabulary.get());
  for (const char* piece :
       {"l", "hello", " ", "\n", " \n", "'", "1", "\xFF", "\u0301", "<|im_end|", "[too"}) {
    const std::string text = repeated(piece, kMillion / 10);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, {.parse_special = true})), text) << piece;
  }
}

TEST(LongWord, IsMergedWholly) {
  HandMadeVocabulary vocabulary(TokenizerModel::kBytePair);
  vocabulary.get().pre_tokenizer = "qwen2";
  vocabulary.add_byte_alphabet();
  add_runs(vocabulary);
  const Tokenizer tokenizer(vocabulary.get());
  const auto tokens = tokenizer.encode(std::string(1U << 20U, 'a'));
  EXPECT_EQ(tokens, std::vector<TokenId>(1024, 265));
}

}  // namespace
}  // namespace vernal::test

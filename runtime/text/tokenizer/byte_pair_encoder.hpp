// Byte-level byte-pair encoding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer/pre_tokenizer.hpp"
#include "text/tokenizer/symbol_merger.hpp"
#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/token_table.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

/// Cuts text into words by the vocabulary's pre-tokenizer, starts each word as single bytes, and
/// merges neighbours in the order of the merge list (Sennrich et al. 2016, "Neural machine
/// translation of rare words with subword units", on bytes).
/// Thread   any; immutable once built.
class BytePairEncoder {
 public:
  /// `table` outlives the encoder; `vocabulary` is validated and may go after construction.
  BytePairEncoder(const Vocabulary& vocabulary, const TokenTable& table);

  /// Appends the tokens of `text`, any bytes, to `tokens`; a piece that is no token as its bytes
  /// (see TokenTable::append_as_bytes). `merger` is scratch memory.
  /// Time: O(n log n) in the text, whatever it is.
  void encode(std::string_view text, SymbolMerger& merger, std::vector<TokenId>& tokens) const;

  const PreTokenizer& pre_tokenizer() const noexcept { return pre_tokenizer_; }

 private:
  // Open addressing from a pair of pieces to what it becomes; `left` is kNoToken in free slots.
  struct Entry {
    TokenId left = kNoToken;
    TokenId right = kNoToken;
    Merge merge;
  };

  class PieceNames;
  void add_merges(const Vocabulary& vocabulary);
  void insert(TokenId left, TokenId right, Merge merge) noexcept;
  Merge find(TokenId left, TokenId right) const noexcept;
  std::size_t slot_of(TokenId left, TokenId right) const noexcept;
  void encode_word(std::string_view word, SymbolMerger& merger, std::vector<TokenId>& tokens) const;

  const TokenTable& table_;
  PreTokenizer pre_tokenizer_;
  std::uint64_t seed_;
  std::vector<Entry> entries_;            // a power of two, at most two thirds full
  std::array<TokenId, 256> first_piece_;  // of each byte: a token, a piece beyond them, or kNoToken
};

}  // namespace vernal

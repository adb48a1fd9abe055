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

/// Cuts a text into words by the vocabulary's pre-tokenizer. Each word begins as single bytes; then
/// neighbours are merged in the order of the merge list.
/// Source   Sennrich et al. 2016, "Neural machine translation of rare words with subword units", on
///          bytes instead of characters
/// Thread   any; immutable once built
class BytePairEncoder {
 public:
  ///   vocabulary   validated; used during construction only
  ///   table        must outlive the encoder
  BytePairEncoder(const Vocabulary& vocabulary, const TokenTable& table);

  /// Appends the tokens of `text` to `tokens`. A piece that is no token is appended as its bytes
  /// (TokenTable::append_as_bytes). Takes time n log n for every text of n bytes.
  ///   text     any bytes
  ///   merger   memory that the call may use
  void encode(std::string_view text, SymbolMerger& merger, std::vector<TokenId>& tokens) const;

  const PreTokenizer& pre_tokenizer() const noexcept { return pre_tokenizer_; }
  /// Memory that the encoder takes beside itself and its table.
  std::size_t memory_bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

 private:
  // A slot of a hash table with open addressing, from a pair of pieces to the piece it becomes.
  // `left` is kNoToken in a free slot.
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
  std::vector<Entry> entries_;            // a power of two of slots, at most two thirds in use
  std::array<TokenId, 256> first_piece_;  // by byte: a token, another piece, or kNoToken
};

}  // namespace vernal

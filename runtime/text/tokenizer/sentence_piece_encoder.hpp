// Sentence piece encoding: characters are merged by score, and unknown characters become bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer/symbol_merger.hpp"
#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/token_table.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

/// A text begins as single characters. Then neighbours that are a token together are merged, the
/// highest score first. A character that is no token becomes its bytes. U+2581, which stands for a
/// space in the vocabulary, is not a space in a text: it becomes bytes, so that decoding gives it
/// back.
/// Source   Kudo and Richardson 2018, "SentencePiece", the BPE mode
/// Thread   any; immutable once built
class SentencePieceEncoder {
 public:
  ///   vocabulary   validated; used during construction only
  ///   table        must outlive the encoder
  SentencePieceEncoder(const Vocabulary& vocabulary, const TokenTable& table);

  /// Appends the tokens of `text` to `tokens`. A character that is no token is appended as its
  /// bytes (TokenTable::append_as_bytes). Takes time n log n for every text of n bytes.
  ///   text     any bytes
  ///   merger   memory that the call may use
  void encode(std::string_view text, SymbolMerger& merger, std::vector<TokenId>& tokens) const;

  /// Memory that the encoder takes beside itself and its table.
  std::size_t memory_bytes() const noexcept { return ranks_.capacity() * sizeof(ranks_[0]); }

 private:
  // The end of the stretch of text from `begin` that no merge can leave.
  std::size_t end_of_stretch(std::string_view text, std::size_t begin) const noexcept;
  void encode_stretch(std::string_view text, SymbolMerger& merger,
                      std::vector<TokenId>& tokens) const;

  const TokenTable& table_;
  std::vector<std::uint32_t> ranks_;  // by token: lower for a higher score
  // The bytes that come before a space inside some token. After any other byte, a space begins a
  // new stretch: no merge can cross that border, and short stretches are merged faster.
  std::array<bool, 256> joins_space_{};
};

}  // namespace vernal

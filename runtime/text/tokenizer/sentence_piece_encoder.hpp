// Sentence piece encoding: merges of characters by score, bytes for what is unknown.
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

/// Starts text as single characters and merges neighbours that together are a token, the highest
/// score first (the BPE mode of Kudo and Richardson 2018, "SentencePiece"). A character that is no
/// token becomes its bytes. U+2581, which stands for a space inside the vocabulary, is not a space
/// in a text: it becomes bytes, so that decoding gives back what was there.
/// Thread   any; immutable once built.
class SentencePieceEncoder {
 public:
  /// `table` outlives the encoder; `vocabulary` is validated and may go after construction.
  SentencePieceEncoder(const Vocabulary& vocabulary, const TokenTable& table);

  /// Appends the tokens of `text`, any bytes, to `tokens`; a character that is no token as its
  /// bytes (see TokenTable::append_as_bytes). `merger` is scratch memory.
  /// Time: O(n log n) in the text, whatever it is.
  void encode(std::string_view text, SymbolMerger& merger, std::vector<TokenId>& tokens) const;

 private:
  // Where the stretch from `begin` ends that no token reaches out of.
  std::size_t end_of_stretch(std::string_view text, std::size_t begin) const noexcept;
  void encode_stretch(std::string_view text, SymbolMerger& merger,
                      std::vector<TokenId>& tokens) const;

  const TokenTable& table_;
  std::vector<std::uint32_t> ranks_;  // by token: the order of scores, turned round
  // Bytes that stand before a space inside some token. After any other byte a space begins a
  // stretch of its own: merges cannot cross that border, and short stretches merge faster.
  std::array<bool, 256> joins_space_{};
};

}  // namespace vernal

// Guesses at the next tokens of a text from what the text said before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// Finds where a text read before as it reads at its end, and takes what followed there for what will
/// follow here. Good for answers that repeat their prompt: edited code, quotes, lists of one shape.
/// The search is that of LZ77 compressors: chains of the places with the same last kMinMatch tokens.
/// Takes 24 to 40 bytes for each token of the text.
/// Thread   one at a time
class NgramDraft {
 public:
  /// Fewer equal tokens are no reason to expect the same again.
  static constexpr std::size_t kMinMatch = 3;

  struct Guess {
    std::span<const TokenId> tokens;  ///< none: the end of the text stands nowhere else
    std::size_t match = 0;            ///< tokens before them that are equal, at most kMaxMatch
  };

  /// The text goes on.
  void append(std::span<const TokenId> tokens);
  std::size_t size() const noexcept { return text_.size(); }

  /// At most `most` tokens. They live until the next call. Of several places the one with the longest
  /// match counts; of equals the latest.
  Guess guess(std::size_t most);

 private:
  static constexpr std::size_t kMaxMatch = 32;
  static constexpr std::size_t kMaxPlaces = 32;  // that are compared
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  std::uint64_t key_before(std::size_t end) const noexcept;
  std::size_t match_before(std::size_t end) const noexcept;

  std::vector<TokenId> text_;
  std::vector<std::uint32_t> earlier_;  // of a place: the one before with the same key
  std::unordered_map<std::uint64_t, std::uint32_t> latest_;  // of a key
  std::vector<TokenId> guess_;
};

}  // namespace vernal

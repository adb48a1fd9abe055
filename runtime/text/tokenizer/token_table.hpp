// The bytes of every token, and the token of given bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

/// U+2581 in UTF-8: how sentence piece vocabularies write a space.
inline constexpr std::string_view kWrittenSpace = "\xE2\x96\x81";

/// Both directions between token and bytes. Owns everything; the vocabulary may go after
/// construction.
/// Thread   any; immutable once built.
class TokenTable {
 public:
  /// `vocabulary` is validated.
  explicit TokenTable(const Vocabulary& vocabulary);

  std::size_t size() const noexcept { return types_.size(); }
  bool contains(TokenId id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < types_.size();
  }

  /// The bytes that token stands for; of control, unknown and user-defined tokens their text.
  /// As for type(), the table contains `id`.
  std::string_view bytes(TokenId id) const noexcept;
  TokenType type(TokenId id) const noexcept { return types_[static_cast<std::size_t>(id)]; }

  /// The lowest normal token that stands for exactly these bytes, or kNoToken. Control, unknown,
  /// byte and user-defined tokens are never found: plain text cannot become structure.
  TokenId find(std::string_view bytes) const noexcept;

  /// Appends one token for each byte: of type byte if there is one, else a normal one, else the
  /// unknown token, else nothing.
  void append_as_bytes(std::string_view bytes, std::vector<TokenId>& tokens) const;

 private:
  // Open addressing: `tag` holds other bits of the hash than those that choose the slot.
  struct Slot {
    std::uint32_t tag = 0;
    TokenId id = kNoToken;
  };

  // Appends the bytes of a token to bytes_. True if encoding may produce it from these bytes.
  bool append(TokenizerModel model, const VocabularyToken& token);
  void insert(TokenId id);
  std::uint64_t hash(std::string_view bytes) const noexcept;

  std::string bytes_;              // of all tokens, one after the other
  std::vector<std::size_t> ends_;  // where each token's bytes end
  std::vector<TokenType> types_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  std::uint64_t seed_;
  std::size_t max_findable_bytes_ = 0;  // longer ones are not worth hashing
  std::array<TokenId, 256> of_byte_{};
};

}  // namespace vernal

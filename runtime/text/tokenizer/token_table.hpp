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

/// Finds the bytes of a token, and the token of bytes. It copies what it needs of the vocabulary.
/// Thread   any; immutable once built
class TokenTable {
 public:
  /// `vocabulary` must be validated.
  explicit TokenTable(const Vocabulary& vocabulary);

  std::size_t size() const noexcept { return types_.size(); }
  bool contains(TokenId id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < types_.size();
  }

  /// The bytes that a token stands for. Those of control, unknown and user-defined tokens are their
  /// text. bytes() and type() need an id that the table contains.
  std::string_view bytes(TokenId id) const noexcept;
  TokenType type(TokenId id) const noexcept { return types_[static_cast<std::size_t>(id)]; }

  /// The normal token that stands for exactly these bytes, the lowest if there are several; else
  /// kNoToken. Control, unknown, byte and user-defined tokens are never found, so that plain text
  /// cannot become structure.
  TokenId find(std::string_view bytes) const noexcept;

  /// Appends a token for each byte: a byte token; if there is none, a normal token; if there is
  /// none, the unknown token; if there is none, nothing.
  void append_as_bytes(std::string_view bytes, std::vector<TokenId>& tokens) const;

  /// Memory that the table takes beside itself.
  std::size_t memory_bytes() const noexcept {
    return bytes_.capacity() + ends_.capacity() * sizeof(ends_[0]) +
           types_.capacity() * sizeof(types_[0]) + slots_.capacity() * sizeof(slots_[0]);
  }

 private:
  // A slot of a hash table with open addressing. `tag` has bits of the hash that do not choose the
  // slot.
  struct Slot {
    std::uint32_t tag = 0;
    TokenId id = kNoToken;
  };

  // Appends the bytes of a token to bytes_. True if these bytes may be encoded as the token.
  bool append(TokenizerModel model, const VocabularyToken& token);
  void insert(TokenId id);
  std::uint64_t hash(std::string_view bytes) const noexcept;

  std::string bytes_;              // of all tokens, one after another
  std::vector<std::size_t> ends_;  // where the bytes of each token end
  std::vector<TokenType> types_;
  std::vector<Slot> slots_;  // a power of two of slots, at most two thirds in use
  std::uint64_t seed_;
  std::size_t max_findable_bytes_ = 0;  // longer texts are no token: they are not hashed
  std::array<TokenId, 256> of_byte_{};
};

}  // namespace vernal

// The tokens of a model as masks need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/mask/token_trie.hpp"

namespace vernal {
class Tokenizer;
}

namespace vernal::grammar {

/// The bytes of every token, as tries, and masks that all grammars share. A mask has one bit for
/// each logit, in words of 32 bits: bit i % 32 of word i / 32.
/// Thread   any; immutable once built
class GrammarVocabulary {
 public:
  /// Characters of a token of plain text that are told apart.
  static constexpr std::uint32_t kMaxCounted = 48;

  /// bytes        of each token; empty for one that no text is made of, such as a control token
  /// end_tokens   end an answer
  /// num_logits   at least bytes.size(); logits beyond the tokens are never allowed
  GrammarVocabulary(std::vector<std::string> bytes, std::vector<TokenId> end_tokens,
                    std::size_t num_logits);
  /// All tokens but control and unknown ones.
  static std::shared_ptr<const GrammarVocabulary> of(const Tokenizer& tokenizer,
                                                     std::size_t num_logits);

  std::size_t num_words() const noexcept { return (num_logits_ + 31) / 32; }
  std::string_view bytes(TokenId token) const noexcept {
    const auto index = static_cast<std::size_t>(token);
    return token >= 0 && index < bytes_.size() ? std::string_view(bytes_[index])
                                               : std::string_view();
  }
  bool is_end(TokenId token) const noexcept;
  std::span<const TokenId> end_tokens() const noexcept { return end_tokens_; }

  const TokenTrie& all() const noexcept { return all_; }
  /// Tokens of whole characters that a JSON string holds as they are, with at most `count` of them.
  std::span<const std::uint32_t> plain(std::uint32_t count) const noexcept {
    return plain_[count < kMaxCounted ? count : kMaxCounted];
  }
  /// Tokens that may come in a JSON string and are not plain.
  const TokenTrie& not_plain() const noexcept { return not_plain_; }
  /// Tokens that may come in a JSON string of any text and do not end it, plain or not.
  std::span<const std::uint32_t> in_string() const noexcept { return in_string_; }
  /// What follows the closing quote in tokens that end such a string.
  const TokenTrie& after_quote() const noexcept { return after_quote_; }

 private:
  void sort_for_strings();

  std::vector<std::string> bytes_;
  std::vector<TokenId> end_tokens_;
  std::size_t num_logits_;
  TokenTrie all_;
  TokenTrie not_plain_;
  TokenTrie after_quote_;
  std::vector<std::vector<std::uint32_t>> plain_;
  std::vector<std::uint32_t> in_string_;
};

inline void set_bit(std::span<std::uint32_t> words, TokenId token) noexcept {
  words[static_cast<std::size_t>(token) / 32] |= 1U << (static_cast<std::size_t>(token) % 32);
}

}  // namespace vernal::grammar

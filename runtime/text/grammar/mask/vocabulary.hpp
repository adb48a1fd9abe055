// The tokens of a model as masks need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/mask/token_trie.hpp"

namespace vernal {
class Tokenizer;
}

namespace vernal::grammar {

/// What stands for a control token in the text that a grammar describes: a byte that no UTF-8 has, and
/// the id. So a control token comes only where a grammar names it. No other token has that byte.
inline constexpr char kControlByte = '\xFF';
inline constexpr std::size_t kControlBytes = 4;
std::string control_bytes(TokenId token);
/// The control token that `bytes` begins with; kNoToken if it begins with none.
TokenId control_token(std::string_view bytes) noexcept;

/// The bytes of every token, as tries, and masks that all grammars share. A mask has one bit for
/// each logit, in words of 32 bits: bit i % 32 of word i / 32.
/// Thread   any; immutable once built
class GrammarVocabulary {
 public:
  /// Characters of a token for which there are masks. Longer tokens are few.
  static constexpr std::uint32_t kMaxCounted = 48;

  /// bytes        of each token, or its control_bytes(); empty for one that never comes
  /// end_tokens   end an answer
  /// num_logits   at least bytes.size(); logits beyond the tokens are never allowed
  GrammarVocabulary(std::vector<std::string> bytes, std::vector<TokenId> end_tokens,
                    std::size_t num_logits);
  /// All tokens but unknown ones.
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
  /// Tokens of whole characters that a JSON string holds as they are.
  std::span<const std::uint32_t> plain() const noexcept { return plain_; }
  /// Tokens that may come in a JSON string and are not plain.
  const TokenTrie& not_plain() const noexcept { return not_plain_; }

  /// Adds the tokens that may come in a JSON string of at most `count` more characters and do not end
  /// it: those whose characters, the one that they end in included, are not more.
  void add_in_string(std::uint32_t count, std::span<std::uint32_t> words) const noexcept;
  /// Adds the tokens that are the end of such a string after `min` to `max` characters, and nothing
  /// else.
  void add_closing(std::uint32_t min, std::uint32_t max,
                   std::span<std::uint32_t> words) const noexcept;
  /// What follows the closing quote in tokens that end a string after as many characters as the index
  /// says.
  std::span<const TokenTrie> after_quote() const noexcept { return after_quote_; }
  /// The same for any number of characters.
  const TokenTrie& after_any_quote() const noexcept { return after_any_quote_; }
  /// Whether a token has a quote after so many characters that after_quote() cannot tell.
  bool has_late_quotes() const noexcept { return has_late_quotes_; }

 private:
  void sort_for_strings();
  void add_counted(std::uint32_t count, TokenId token);

  std::vector<std::string> bytes_;
  std::vector<TokenId> end_tokens_;
  std::size_t num_logits_;
  TokenTrie all_;
  TokenTrie not_plain_;
  std::vector<TokenTrie> after_quote_;
  TokenTrie after_any_quote_;
  std::vector<std::uint32_t> plain_;
  std::vector<std::vector<std::uint32_t>> in_string_;         // by the number of characters
  std::vector<std::pair<std::uint32_t, TokenId>> long_ones_;  // more of them than kMaxCounted
  std::vector<std::pair<std::uint32_t, TokenId>> closing_;    // with the characters before it
  bool has_late_quotes_ = false;
};

inline void set_bit(std::span<std::uint32_t> words, TokenId token) noexcept {
  words[static_cast<std::size_t>(token) / 32] |= 1U << (static_cast<std::size_t>(token) % 32);
}

}  // namespace vernal::grammar

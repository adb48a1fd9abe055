// Text to tokens and back, as a model's vocabulary has it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/tokenizer/byte_pair_encoder.hpp"
#include "text/tokenizer/sentence_piece_encoder.hpp"
#include "text/tokenizer/special_token_finder.hpp"
#include "text/tokenizer/token_id.hpp"
#include "text/tokenizer/token_table.hpp"
#include "text/tokenizer/vocabulary.hpp"

namespace vernal {

/// How Tokenizer::encode treats a text.
struct EncodeOptions {
  /// True: the texts of control tokens ("<|im_end|>") become those tokens, as in a rendered chat
  /// template. False: they are ordinary text, as in what a user wrote. User-defined tokens are
  /// found either way.
  bool parse_special = false;
  /// Put bos before and eos behind where the vocabulary asks for it. A rendered template that
  /// begins with the text of bos already must not get a second one: leave this false there.
  bool add_special = false;
};

/// The tokenizer of one model. Neither copied nor moved: it is built in place and shared by
/// reference.
/// Thread   any number at once; immutable once built.
class Tokenizer {
 public:
  /// Copies what it needs of `vocabulary`.
  /// Errors   those of validate_vocabulary.
  explicit Tokenizer(Vocabulary vocabulary);
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// The tokens of `text`, which may be any bytes: what is not UTF-8 is encoded byte by byte. Where
  /// the file asks for normal form C (Vocabulary::normalization), text is brought into it first.
  /// Time: O(n log n) in the text, whatever it is.
  /// Errors   VERNAL_INVALID_ARGUMENT: more than kMaxTextBytes.
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30U;

  /// The bytes that token stands for, which need not be whole characters; of control, unknown and
  /// user-defined tokens their text. Empty for an id outside the vocabulary.
  std::string_view token_bytes(TokenId id) const noexcept;

  /// The bytes of all `tokens`. With `skip_special`, control and unknown tokens give nothing.
  /// decode(encode(text, {p, false})) == text for every text (in normal form C, where the file asks
  /// for it) and both values of p, as long as the vocabulary has a token for each byte (and, in sentence piece, for the space). Where it adds a
  /// space prefix (has_space_prefix(); byte-pair vocabularies never have one), one space is
  /// dropped at the start and after each control, unknown or user-defined token, because encode()
  /// put it there. The result need not be UTF-8: a Detokenizer makes characters of it.
  std::string decode(std::span<const TokenId> tokens, bool skip_special = false) const;

  /// The token with exactly this text or these bytes, or kNoToken; for control tokens by name, such
  /// as "<think>".
  TokenId find_token(std::string_view text) const noexcept;

  std::size_t size() const noexcept { return table_.size(); }
  bool contains(TokenId id) const noexcept { return table_.contains(id); }
  /// False for an id outside the vocabulary; so are the next two.
  bool is_control(TokenId id) const noexcept;
  /// A control or unknown token: what skip_special skips.
  bool is_special(TokenId id) const noexcept;
  /// An answer ends with this token.
  bool is_end_of_generation(TokenId id) const noexcept;
  /// All of them, ascending.
  std::span<const TokenId> end_of_generation() const noexcept { return end_of_generation_; }

  /// kNoToken where the vocabulary has none.
  TokenId bos() const noexcept { return bos_; }
  TokenId eos() const noexcept { return eos_; }
  TokenId eot() const noexcept { return eot_; }
  TokenId unknown() const noexcept { return unknown_; }
  TokenId padding() const noexcept { return padding_; }
  /// Whether encode() with add_special puts bos first / eos last.
  bool adds_bos() const noexcept { return add_bos_; }
  bool adds_eos() const noexcept { return add_eos_; }
  bool has_space_prefix() const noexcept { return add_space_prefix_; }

  /// What an operator should know about the vocabulary, one sentence each: an unknown
  /// pre-tokenizer, a bos that is asked for and missing. Empty as a rule.
  std::span<const std::string> warnings() const noexcept { return warnings_; }

 private:
  using Encoder = std::variant<BytePairEncoder, SentencePieceEncoder>;

  static Encoder make_encoder(const Vocabulary& vocabulary, const TokenTable& table);
  void collect_warnings(const Vocabulary& vocabulary);
  // Appends the tokens of text without special tokens; `at_border`: nothing or a special token is
  // before it.
  void encode_plain(std::string_view text, bool at_border, SymbolMerger& merger,
                    std::vector<TokenId>& tokens) const;

  // Prepared in this order: the vocabulary is checked, then completed, before the rest is built of
  // it.
  std::vector<TokenId> end_of_generation_;
  TokenTable table_;
  SpecialTokenFinder special_tokens_;
  Encoder encoder_;
  TokenId bos_;
  TokenId eos_;
  TokenId eot_;
  TokenId unknown_;
  TokenId padding_;
  bool add_bos_;
  bool add_eos_;
  bool add_space_prefix_;
  bool composes_;
  std::vector<std::string> warnings_;
};

}  // namespace vernal

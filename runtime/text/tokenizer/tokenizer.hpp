// Turns text into the tokens of a model's vocabulary, and tokens into text.
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
  /// Whether the texts of control tokens, such as "<|im_end|>", become those tokens. Set it for a
  /// rendered chat template, and not for the text of a user. User-defined tokens are always found.
  bool parse_special = false;
  /// Adds bos at the start and eos at the end if the vocabulary asks for them. Leave it false for a
  /// rendered template that begins with the text of bos: it must not get a second one.
  bool add_special = false;
};

/// The tokenizer of one model. It is neither copied nor moved; share it by reference.
/// Thread   any number at the same time; immutable once built
class Tokenizer {
 public:
  /// Copies what it needs of `vocabulary`.
  /// Errors   those of validate_vocabulary
  explicit Tokenizer(Vocabulary vocabulary);
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// The tokens of `text`, which may be any bytes: what is not UTF-8 is encoded byte by byte. Takes
  /// time n log n for every text of n bytes. If the file asks for normal form C
  /// (Vocabulary::normalization), the text is brought into it first.
  /// Errors   VERNAL_INVALID_ARGUMENT: the text has more than kMaxTextBytes
  std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30U;

  /// The bytes that a token stands for, which need not be whole characters. Those of control,
  /// unknown and user-defined tokens are their text. Empty for an id outside the vocabulary.
  std::string_view token_bytes(TokenId id) const noexcept;

  /// The bytes of all `tokens`, which need not be UTF-8: a Detokenizer makes characters of them.
  /// With `skip_special`, control and unknown tokens give nothing.
  ///
  /// decode(encode(text, {p, false})) == text for every text and both values of p, if the
  /// vocabulary has a token for each byte and, in sentence piece, for the space. If
  /// has_space_prefix(), encode() adds a space at the start and after each control, unknown or
  /// user-defined token; decode() drops it. If the file asks for normal form C, the text comes back
  /// in that form.
  std::string decode(std::span<const TokenId> tokens, bool skip_special = false) const;

  /// The token with exactly this text or these bytes, or kNoToken. It also finds control tokens,
  /// such as "<think>".
  TokenId find_token(std::string_view text) const noexcept;

  std::size_t size() const noexcept { return table_.size(); }
  /// Memory that the tokenizer takes beside itself.
  std::size_t memory_bytes() const noexcept;
  bool contains(TokenId id) const noexcept { return table_.contains(id); }
  /// These three are false for an id outside the vocabulary.
  /// A control token.
  bool is_control(TokenId id) const noexcept;
  /// A control or unknown token; skip_special skips these.
  bool is_special(TokenId id) const noexcept;
  /// A token that ends an answer.
  bool is_end_of_generation(TokenId id) const noexcept;
  /// All tokens that end an answer, in ascending order.
  std::span<const TokenId> end_of_generation() const noexcept { return end_of_generation_; }

  /// These are kNoToken if the vocabulary has none.
  TokenId bos() const noexcept { return bos_; }
  TokenId eos() const noexcept { return eos_; }
  TokenId eot() const noexcept { return eot_; }
  TokenId unknown() const noexcept { return unknown_; }
  TokenId padding() const noexcept { return padding_; }
  /// Whether encode() with add_special adds bos at the start.
  bool adds_bos() const noexcept { return add_bos_; }
  bool has_space_prefix() const noexcept { return add_space_prefix_; }

  /// What an operator should know about the vocabulary, a sentence each: an unknown pre-tokenizer,
  /// or a bos that is asked for and missing. Usually empty.
  std::span<const std::string> warnings() const noexcept { return warnings_; }

 private:
  using Encoder = std::variant<BytePairEncoder, SentencePieceEncoder>;

  static Encoder make_encoder(const Vocabulary& vocabulary, const TokenTable& table);
  void collect_warnings(const Vocabulary& vocabulary);
  // Appends the tokens of a text without special tokens. `at_border` says that it begins the text,
  // or follows a special token.
  void encode_plain(std::string_view text, bool at_border, SymbolMerger& merger,
                    std::vector<TokenId>& tokens) const;

  // Members are made in this order: making the first one checks and completes the vocabulary, from
  // which the others are made.
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

// Vocabularies small enough to follow by hand.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "text/tokenizer/vocabulary.hpp"

namespace vernal::test {

/// A vocabulary that a test builds, with the texts that it borrows. It cannot be copied, because
/// the views of a copy would point to the original.
class HandMadeVocabulary {
 public:
  explicit HandMadeVocabulary(TokenizerModel model) { vocabulary_.model = model; }
  HandMadeVocabulary(const HandMadeVocabulary&) = delete;
  HandMadeVocabulary& operator=(const HandMadeVocabulary&) = delete;

  /// Appends a token and returns its id.
  TokenId add(std::string_view text, TokenType type = TokenType::kNormal, float score = 0.0F) {
    vocabulary_.tokens.push_back({.text = keep(text), .score = score, .type = type});
    return static_cast<TokenId>(vocabulary_.tokens.size() - 1);
  }

  /// Appends the 256 tokens that every byte-level vocabulary has (ids 0 to 255 if they come first).
  void add_byte_alphabet();

  /// Appends <0x00> to <0xFF>.
  void add_byte_tokens();

  void add_merge(std::string_view merge) { vocabulary_.merges.push_back(keep(merge)); }

  Vocabulary& get() noexcept { return vocabulary_; }

 private:
  std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

  std::deque<std::string> texts_;
  Vocabulary vocabulary_;
};

/// The 256 bytes, then 256 "he", 257 "ll", 258 "hell", 259 "hello", 260 " w", the control token 261
/// "<|im_end|>" (its eos) and the user-defined token 262 "[tool]". Merges: h e, l l, he ll, hell o,
/// " " w. Words are cut as qwen2 does.
class HelloVocabulary : public HandMadeVocabulary {
 public:
  HelloVocabulary();
};

/// <unk>, <s>, </s>, 256 bytes, then (259) " ", "h", "e", "y", "he", "hey", " h", " he", " hey"
/// with scores that prefer "he" to " h". Space prefix and bos as in llama.
class HeyVocabulary : public HandMadeVocabulary {
 public:
  HeyVocabulary();
};

}  // namespace vernal::test

// A vocabulary in which a token is a byte, so that tests can read token ids.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/byte_alphabet.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal::test {

/// Ids 0 to 255 are the bytes. These tokens follow:
inline constexpr TokenId kEndToken = 256;    ///< control "<|end|>", ends an answer
inline constexpr TokenId kStartToken = 257;  ///< control "<|start|>"
inline constexpr TokenId kThinkToken = 258;  ///< user-defined "<think>"
inline constexpr std::size_t kByteVocabularySize = 259;

inline std::shared_ptr<const Tokenizer> make_byte_tokenizer() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) {
    texts.push_back(character_of_byte(static_cast<std::uint8_t>(byte)));
  }
  Vocabulary vocabulary;
  vocabulary.model = TokenizerModel::kBytePair;
  vocabulary.pre_tokenizer = "gpt-2";
  for (const std::string& text : texts) {
    vocabulary.tokens.push_back({text, 0.0F, TokenType::kNormal});
  }
  vocabulary.tokens.push_back({"<|end|>", 0.0F, TokenType::kControl});
  vocabulary.tokens.push_back({"<|start|>", 0.0F, TokenType::kControl});
  vocabulary.tokens.push_back({"<think>", 0.0F, TokenType::kUserDefined});
  vocabulary.eos = kEndToken;
  vocabulary.eot = kEndToken;
  return std::make_shared<const Tokenizer>(std::move(vocabulary));
}

/// The token ids of text without special tokens.
inline std::vector<TokenId> byte_tokens(std::string_view text) {
  std::vector<TokenId> tokens;
  for (const char c : text) {
    tokens.push_back(static_cast<unsigned char>(c));
  }
  return tokens;
}

}  // namespace vernal::test

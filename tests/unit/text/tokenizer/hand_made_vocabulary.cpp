#include "hand_made_vocabulary.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "text/tokenizer/byte_alphabet.hpp"

namespace vernal::test {

void HandMadeVocabulary::add_byte_alphabet() {
  for (int byte = 0; byte < 256; ++byte) add(character_of_byte(static_cast<std::uint8_t>(byte)));
}

void HandMadeVocabulary::add_byte_tokens() {
  for (int byte = 0; byte < 256; ++byte) add(fmt::format("<0x{:02X}>", byte), TokenType::kByte);
}

HelloVocabulary::HelloVocabulary() : HandMadeVocabulary(TokenizerModel::kBytePair) {
  get().pre_tokenizer = "qwen2";
  add_byte_alphabet();
  for (const char* text : {"he", "ll", "hell", "hello", "Ġw"}) add(text);
  get().eos = add("<|im_end|>", TokenType::kControl);
  add("[tool]", TokenType::kUserDefined);
  for (const char* merge : {"h e", "l l", "he ll", "hell o", "Ġ w"}) add_merge(merge);
}

HeyVocabulary::HeyVocabulary() : HandMadeVocabulary(TokenizerModel::kSentencePiece) {
  get().unknown = add("<unk>", TokenType::kUnknown);
  get().bos = add("<s>", TokenType::kControl);
  get().eos = add("</s>", TokenType::kControl);
  add_byte_tokens();
  for (const char* text : {"▁", "h", "e", "y"}) add(text, TokenType::kNormal, -100.0F);
  add("he", TokenType::kNormal, -1.0F);
  add("hey", TokenType::kNormal, -2.0F);
  add("▁h", TokenType::kNormal, -3.0F);
  add("▁he", TokenType::kNormal, -4.0F);
  add("▁hey", TokenType::kNormal, -5.0F);
  get().add_bos = true;
  get().add_space_prefix = true;
}

}  // namespace vernal::test

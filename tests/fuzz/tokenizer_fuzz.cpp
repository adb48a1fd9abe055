// A small vocabulary made of any bytes is either refused with vernal::Error or encodes any text
// into its own tokens. If the vocabulary has a token for every byte, decoding gives the text back.
//
// An input is: one byte of flags; a count of tokens, each a byte of type, one of score, one of
// length and the text; a count of merges, each a length and the text; the rest is the text to
// encode.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/byte_alphabet.hpp"
#include "text/tokenizer/detokenizer.hpp"
#include "text/tokenizer/tokenizer.hpp"
#include "text/tokenizer/utf8.hpp"
#include "text/tokenizer/vocabulary.hpp"
#include "vernal/error.hpp"

namespace {

using vernal::TokenId;

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view bytes(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

void expect(bool holds) {
  if (!holds) __builtin_trap();
}

// Tokens for all bytes and the space, in the way of the model.
void add_complete_alphabet(vernal::Vocabulary& vocabulary, std::deque<std::string>& texts) {
  const bool byte_pair = vocabulary.model == vernal::TokenizerModel::kBytePair;
  for (int byte = 0; byte < 256; ++byte) {
    texts.push_back(byte_pair ? vernal::character_of_byte(static_cast<std::uint8_t>(byte))
                              : fmt::format("<0x{:02X}>", byte));
    vocabulary.tokens.push_back(
        {.text = texts.back(),
         .type = byte_pair ? vernal::TokenType::kNormal : vernal::TokenType::kByte});
  }
  if (!byte_pair) vocabulary.tokens.push_back({.text = vernal::kWrittenSpace});
}

vernal::Vocabulary read_vocabulary(Input& input, std::uint8_t flags,
                                   std::deque<std::string>& texts) {
  constexpr const char* kPreTokenizers[] = {"qwen2", "qwen35", "llama-bpe", "gpt-2"};
  vernal::Vocabulary vocabulary;
  vocabulary.model = (flags & 1U) != 0 ? vernal::TokenizerModel::kBytePair
                                       : vernal::TokenizerModel::kSentencePiece;
  if ((flags & 2U) != 0) add_complete_alphabet(vocabulary, texts);
  vocabulary.pre_tokenizer = kPreTokenizers[(flags >> 2U) & 3U];
  vocabulary.add_space_prefix = (flags & 16U) != 0;
  vocabulary.add_bos = (flags & 32U) != 0;
  if ((flags & 64U) != 0) {
    vocabulary.bos = static_cast<TokenId>(input.byte()) - 1;
    vocabulary.unknown = static_cast<TokenId>(input.byte()) - 1;
  }
  for (int left = input.byte(); left > 0; --left) {
    const int type = input.byte() % 6 + 1;
    const std::uint8_t score = input.byte();
    const std::string_view text = input.bytes(input.byte());
    vocabulary.tokens.push_back({.text = text,
                                 .score = score == 255 ? std::nanf("") : static_cast<float>(score),
                                 .type = static_cast<vernal::TokenType>(type)});
  }
  for (int left = input.byte(); left > 0; --left) {
    vocabulary.merges.push_back(input.bytes(input.byte()));
  }
  return vocabulary;
}

void expect_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const vernal::Utf8Character character = vernal::read_utf8(text);
    expect(character.status == vernal::Utf8Status::kValid);
    text.remove_prefix(character.length);
  }
}

void check(const vernal::Tokenizer& tokenizer, std::string_view text, bool is_complete) {
  for (const bool parse_special : {false, true}) {
    const std::vector<TokenId> tokens = tokenizer.encode(text, {.parse_special = parse_special});
    expect(std::all_of(tokens.begin(), tokens.end(),
                       [&](TokenId id) { return tokenizer.contains(id); }));
    if (is_complete) expect(tokenizer.decode(tokens) == text);
    if (is_complete && !parse_special) {
      expect(std::none_of(tokens.begin(), tokens.end(),
                          [&](TokenId id) { return tokenizer.is_special(id); }));
    }

    vernal::Detokenizer detokenizer(tokenizer);
    for (const TokenId id : tokens) {
      expect_valid_utf8(detokenizer.push(id));
      expect(detokenizer.pending().size() <= 3);
    }
    expect_valid_utf8(detokenizer.flush());
  }
  tokenizer.encode(text, {.parse_special = true, .add_special = true});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({reinterpret_cast<const char*>(data), size});
  const std::uint8_t flags = input.byte();
  std::deque<std::string> texts;
  std::optional<vernal::Tokenizer> tokenizer;
  try {
    tokenizer.emplace(read_vocabulary(input, flags, texts));
  } catch (const vernal::Error&) {
    return 0;
  }
  check(*tokenizer, input.rest(), (flags & 2U) != 0);
  return 0;
}

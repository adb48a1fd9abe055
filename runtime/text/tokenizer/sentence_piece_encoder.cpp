#include "text/tokenizer/sentence_piece_encoder.hpp"

#include <bit>

#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

// An integer that is lower for a higher score, and equal for equal scores. The bits of floats have
// the order of integers when all bits of negative floats and the sign of the others are inverted.
std::uint32_t rank_of_score(float score) noexcept {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(score == 0.0F ? 0.0F : score);
  const std::uint32_t ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return ~ascending;
}

}  // namespace

SentencePieceEncoder::SentencePieceEncoder(const Vocabulary& vocabulary, const TokenTable& table)
    : table_(table) {
  ranks_.reserve(vocabulary.tokens.size());
  for (const VocabularyToken& token : vocabulary.tokens) {
    const auto id = static_cast<TokenId>(ranks_.size());
    ranks_.push_back(rank_of_score(token.score));
    const std::string_view bytes = table_.bytes(id);
    for (std::size_t i = 1; i < bytes.size(); ++i) {
      if (bytes[i] == ' ') joins_space_[static_cast<std::uint8_t>(bytes[i - 1])] = true;
    }
  }
}

void SentencePieceEncoder::encode(std::string_view text, SymbolMerger& merger,
                                  std::vector<TokenId>& tokens) const {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = end_of_stretch(text, begin);
    encode_stretch(text.substr(begin, end - begin), merger, tokens);
    begin = end;
  }
}

std::size_t SentencePieceEncoder::end_of_stretch(std::string_view text,
                                                 std::size_t begin) const noexcept {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == ' ' && !joins_space_[static_cast<std::uint8_t>(text[i - 1])]) return i;
  }
  return text.size();
}

void SentencePieceEncoder::encode_stretch(std::string_view text, SymbolMerger& merger,
                                          std::vector<TokenId>& tokens) const {
  merger.clear();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t length = read_utf8(text.substr(begin)).length;
    merger.add(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length),
               table_.find(text.substr(begin, length)));
    begin += length;
  }
  merger.run([&](const Symbol& left, const Symbol& right) -> Merge {
    const TokenId id = table_.find(text.substr(left.begin, left.length + right.length));
    if (id == kNoToken) return {};
    return {ranks_[static_cast<std::size_t>(id)], id};
  });
  merger.for_each([&](const Symbol& symbol) {
    if (symbol.piece != kNoToken) {
      tokens.push_back(symbol.piece);
    } else {
      // A vocabulary that was cut may have no token for the space. Then its bytes are those of
      // U+2581.
      const std::string_view piece = text.substr(symbol.begin, symbol.length);
      table_.append_as_bytes(piece == " " ? kWrittenSpace : piece, tokens);
    }
  });
}

}  // namespace vernal

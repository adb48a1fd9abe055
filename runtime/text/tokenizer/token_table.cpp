#include "text/tokenizer/token_table.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

#include "text/tokenizer/byte_alphabet.hpp"

namespace vernal {
namespace {

void append_unescaped(std::string_view text, std::string& bytes) {
  std::size_t found = text.find(kWrittenSpace);
  while (found != std::string_view::npos) {
    bytes.append(text.substr(0, found)).push_back(' ');
    text.remove_prefix(found + kWrittenSpace.size());
    found = text.find(kWrittenSpace);
  }
  bytes.append(text);
}

// Unpredictable, so that nobody can make a file whose tokens all share one slot.
std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

TokenTable::TokenTable(const Vocabulary& vocabulary) : seed_(random_seed()) {
  const std::size_t num_tokens = vocabulary.tokens.size();
  ends_.reserve(num_tokens);
  types_.reserve(num_tokens);
  slots_.resize(std::bit_ceil(num_tokens * 3 / 2 + 1));
  of_byte_.fill(kNoToken);
  for (const VocabularyToken& token : vocabulary.tokens) {
    const auto id = static_cast<TokenId>(types_.size());
    const bool findable = append(vocabulary.model, token);
    ends_.push_back(bytes_.size());
    types_.push_back(token.type);
    if (findable) insert(id);
    if (token.type == TokenType::kByte) {
      TokenId& of_byte = of_byte_[static_cast<std::uint8_t>(bytes(id)[0])];
      if (of_byte == kNoToken) of_byte = id;
    }
  }
  bytes_.shrink_to_fit();
  for (std::size_t byte = 0; byte < of_byte_.size(); ++byte) {
    const auto character = static_cast<char>(byte);
    if (of_byte_[byte] == kNoToken) of_byte_[byte] = find({&character, 1});
    if (of_byte_[byte] == kNoToken) of_byte_[byte] = vocabulary.unknown;
  }
}

void TokenTable::append_as_bytes(std::string_view bytes, std::vector<TokenId>& tokens) const {
  for (const char byte : bytes) {
    const TokenId id = of_byte_[static_cast<std::uint8_t>(byte)];
    if (id != kNoToken) tokens.push_back(id);
  }
}

bool TokenTable::append(TokenizerModel model, const VocabularyToken& token) {
  const bool may_be_found = token.type == TokenType::kNormal || token.type == TokenType::kUnused;
  if (token.type == TokenType::kByte) {
    bytes_.push_back(static_cast<char>(byte_of_token_text(token.text)));
    return false;
  }
  if (!may_be_found) {
    bytes_.append(token.text);
    return false;
  }
  if (model == TokenizerModel::kBytePair) {
    // A token with a character outside the alphabet of bytes is never found: text is looked up as
    // bytes.
    return append_bytes_of_text(token.text, bytes_) && !token.text.empty();
  }
  append_unescaped(token.text, bytes_);
  return !token.text.empty() && token.text.find(' ') == std::string_view::npos;
}

std::string_view TokenTable::bytes(TokenId id) const noexcept {
  const auto index = static_cast<std::size_t>(id);
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(bytes_).substr(begin, ends_[index] - begin);
}

std::uint64_t TokenTable::hash(std::string_view bytes) const noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed_);
}

void TokenTable::insert(TokenId id) {
  const std::string_view key = bytes(id);
  if (find(key) != kNoToken) return;
  const std::uint64_t hashed = hash(key);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hashed & mask;
  while (slots_[slot].id != kNoToken) slot = (slot + 1) & mask;
  slots_[slot] = {static_cast<std::uint32_t>(hashed >> 32U), id};
  max_findable_bytes_ = std::max(max_findable_bytes_, key.size());
}

TokenId TokenTable::find(std::string_view bytes) const noexcept {
  if (bytes.size() > max_findable_bytes_) return kNoToken;
  const std::uint64_t hashed = hash(bytes);
  const auto tag = static_cast<std::uint32_t>(hashed >> 32U);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hashed & mask; slots_[slot].id != kNoToken; slot = (slot + 1) & mask) {
    if (slots_[slot].tag == tag && this->bytes(slots_[slot].id) == bytes) return slots_[slot].id;
  }
  return kNoToken;
}

}  // namespace vernal

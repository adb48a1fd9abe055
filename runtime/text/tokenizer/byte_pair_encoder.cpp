#include "text/tokenizer/byte_pair_encoder.hpp"

#include <bit>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "text/tokenizer/byte_alphabet.hpp"

namespace vernal {

/// Gives numbers to the pieces of the merge list, by their bytes. A token has its id. A piece that
/// is no token, as in a vocabulary that was cut, gets the next number after the tokens, so that
/// merges can use it.
class BytePairEncoder::PieceNames {
 public:
  explicit PieceNames(const TokenTable& table) : table_(table) {}

  TokenId find(std::string_view bytes) const {
    const TokenId id = table_.find(bytes);
    if (id != kNoToken) return id;
    const auto other = others_.find(bytes);
    return other == others_.end() ? kNoToken : other->second;
  }

  TokenId find_or_add(std::string_view bytes) {
    const TokenId id = find(bytes);
    if (id != kNoToken) return id;
    const auto next = static_cast<TokenId>(table_.size() + others_.size());
    others_.emplace(bytes, next);
    return next;
  }

 private:
  const TokenTable& table_;
  std::map<std::string, TokenId, std::less<>> others_;  // ordered: a file cannot attack a hash
};

BytePairEncoder::BytePairEncoder(const Vocabulary& vocabulary, const TokenTable& table)
    : table_(table),
      pre_tokenizer_(find_pre_tokenizer(vocabulary.pre_tokenizer)),
      seed_(std::random_device{}() | 1U),
      entries_(std::bit_ceil(vocabulary.merges.size() * 3 / 2 + 1)),
      first_piece_{} {
  add_merges(vocabulary);
}

void BytePairEncoder::add_merges(const Vocabulary& vocabulary) {
  PieceNames names(table_);
  std::string bytes;
  std::uint32_t rank = 0;
  for (const std::string_view merge : vocabulary.merges) {
    const std::size_t space = merge.find(' ', 1);
    bytes.clear();
    // A part with a character that stands for no byte never occurs in a text.
    const bool left_reachable = append_bytes_of_text(merge.substr(0, space), bytes);
    const std::size_t left_size = bytes.size();
    const bool right_reachable = append_bytes_of_text(merge.substr(space + 1), bytes);
    if (left_reachable && right_reachable) {
      const std::string_view merged = bytes;
      const TokenId left = names.find_or_add(merged.substr(0, left_size));
      const TokenId right = names.find_or_add(merged.substr(left_size));
      insert(left, right, {rank, names.find_or_add(merged)});
    }
    ++rank;
  }
  for (std::size_t byte = 0; byte < first_piece_.size(); ++byte) {
    const auto character = static_cast<char>(byte);
    first_piece_[byte] = names.find({&character, 1});
  }
}

std::size_t BytePairEncoder::slot_of(TokenId left, TokenId right) const noexcept {
  // The pair is mixed with the seed twice, so that nobody can make a file whose merges all share
  // one slot.
  const std::uint64_t key =
      (std::uint64_t{static_cast<std::uint32_t>(left)} << 32U) | static_cast<std::uint32_t>(right);
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
  std::uint64_t hash = (key ^ seed_) * kGolden;
  hash ^= hash >> 32U;
  hash *= kGolden ^ (seed_ << 1U);
  return static_cast<std::size_t>(hash ^ (hash >> 29U)) & (entries_.size() - 1);
}

void BytePairEncoder::insert(TokenId left, TokenId right, Merge merge) noexcept {
  std::size_t slot = slot_of(left, right);
  while (entries_[slot].left != kNoToken) {
    if (entries_[slot].left == left && entries_[slot].right == right) return;  // the first counts
    slot = (slot + 1) & (entries_.size() - 1);
  }
  entries_[slot] = {left, right, merge};
}

Merge BytePairEncoder::find(TokenId left, TokenId right) const noexcept {
  for (std::size_t slot = slot_of(left, right); entries_[slot].left != kNoToken;
       slot = (slot + 1) & (entries_.size() - 1)) {
    if (entries_[slot].left == left && entries_[slot].right == right) return entries_[slot].merge;
  }
  return {};
}

void BytePairEncoder::encode(std::string_view text, SymbolMerger& merger,
                             std::vector<TokenId>& tokens) const {
  WordScanner words(pre_tokenizer_, text);
  while (!words.at_end()) encode_word(words.next(), merger, tokens);
}

void BytePairEncoder::encode_word(std::string_view word, SymbolMerger& merger,
                                  std::vector<TokenId>& tokens) const {
  if (pre_tokenizer_.ignores_merges) {
    const TokenId id = table_.find(word);
    if (id != kNoToken) {
      tokens.push_back(id);
      return;
    }
  }
  merger.clear();
  for (std::size_t i = 0; i < word.size(); ++i) {
    merger.add(static_cast<std::uint32_t>(i), 1, first_piece_[static_cast<std::uint8_t>(word[i])]);
  }
  merger.run(
      [&](const Symbol& left, const Symbol& right) { return find(left.piece, right.piece); });
  merger.for_each([&](const Symbol& symbol) {
    if (table_.contains(symbol.piece)) {
      tokens.push_back(symbol.piece);
    } else {
      table_.append_as_bytes(word.substr(symbol.begin, symbol.length), tokens);
    }
  });
}

}  // namespace vernal

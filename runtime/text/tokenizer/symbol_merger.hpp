// Merges neighbouring symbols of a text, the best pair first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/tokenizer/token_id.hpp"

namespace vernal {

/// A piece of the text: at first a character or a byte, in the end a whole token.
struct Symbol {
  std::int32_t previous;  ///< position of the neighbour, -1 for none
  std::int32_t next;      ///< position of the neighbour, -1 for none
  std::uint32_t begin;    ///< first byte in the text
  std::uint32_t length;   ///< bytes; 0: it was merged into its left neighbour
  TokenId piece;          ///< its number for the caller, which may be kNoToken
};

/// What two neighbours become.
struct Merge {
  std::uint32_t rank = 0;    ///< lower merges earlier
  TokenId piece = kNoToken;  ///< kNoToken: they do not merge
};

/// The loop of merges that byte-pair and sentence piece encoding share. As long as neighbours can
/// be merged, the pair of the lowest rank becomes one symbol; of equal ranks the leftmost. The
/// symbols are a linked list and the pairs a heap, so every text of n symbols takes time n log n.
/// Thread   one at a time; keeps its memory between texts
class SymbolMerger {
 public:
  /// Removes all symbols.
  void clear() noexcept { symbols_.clear(); }

  /// Appends a symbol to the right.
  void add(std::uint32_t begin, std::uint32_t length, TokenId piece) {
    const auto position = static_cast<std::int32_t>(symbols_.size());
    if (position > 0) symbols_.back().next = position;
    symbols_.push_back({position - 1, -1, begin, length, piece});
  }

  /// Merges until nothing can be merged. `find(left, right)` says what two symbols become.
  template <typename FindMerge>
  void run(const FindMerge& find);

  /// Calls `visit(symbol)` for the symbols that are left, from left to right.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Symbol& symbol : symbols_) {
      if (symbol.length > 0) visit(symbol);
    }
  }

  /// The number of pairs that were looked at since construction. It is linear in the symbols that
  /// were added.
  std::uint64_t pairs_examined() const noexcept { return pairs_examined_; }

 private:
  struct Candidate {
    std::uint32_t rank;
    std::int32_t left;
    std::int32_t right;
    std::uint32_t length;  // of both when the pair was found; if it differs, the pair is stale
    TokenId piece;

    // Puts the lowest rank on top of a heap; of equal ranks the leftmost pair.
    bool operator<(const Candidate& other) const noexcept {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };

  Symbol& symbol(std::int32_t position) noexcept {
    return symbols_[static_cast<std::size_t>(position)];
  }

  // Appends a pair to the candidates if it can be merged. Returns whether it can.
  template <typename FindMerge>
  bool examine(std::int32_t left, std::int32_t right, const FindMerge& find) {
    ++pairs_examined_;
    const Symbol& first = symbol(left);
    const Symbol& second = symbol(right);
    const Merge merge = find(first, second);
    if (merge.piece == kNoToken) return false;
    candidates_.push_back({merge.rank, left, right, first.length + second.length, merge.piece});
    return true;
  }

  std::vector<Symbol> symbols_;
  std::vector<Candidate> candidates_;
  std::uint64_t pairs_examined_ = 0;
};

template <typename FindMerge>
void SymbolMerger::run(const FindMerge& find) {
  candidates_.clear();
  const auto num_symbols = static_cast<std::int32_t>(symbols_.size());
  for (std::int32_t right = 1; right < num_symbols; ++right) examine(right - 1, right, find);
  std::make_heap(candidates_.begin(), candidates_.end());

  while (!candidates_.empty()) {
    std::pop_heap(candidates_.begin(), candidates_.end());
    const Candidate best = candidates_.back();
    candidates_.pop_back();
    Symbol& left = symbol(best.left);
    Symbol& right = symbol(best.right);
    if (left.length == 0 || right.length == 0 || left.length + right.length != best.length)
      continue;

    left.length = best.length;
    left.piece = best.piece;
    left.next = right.next;
    right.length = 0;
    if (left.next >= 0) symbol(left.next).previous = best.left;

    if (left.previous >= 0 && examine(left.previous, best.left, find)) {
      std::push_heap(candidates_.begin(), candidates_.end());
    }
    if (left.next >= 0 && examine(best.left, left.next, find)) {
      std::push_heap(candidates_.begin(), candidates_.end());
    }
  }
}

}  // namespace vernal

// Sets of bits as numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "text/grammar/interner.hpp"

namespace vernal::grammar {

/// Sets of bits, and other lists of words, numbered.
using WordLists = Interner<std::vector<std::uint32_t>>;

inline bool has_bit(const WordLists& lists, std::uint32_t list, std::uint32_t bit) {
  const std::vector<std::uint32_t>& words = lists[list];
  return bit / 32 < words.size() && (words[bit / 32] >> (bit % 32) & 1U) != 0;
}

/// The list that has this bit, too.
inline std::uint32_t with_bit(WordLists& lists, std::uint32_t list, std::uint32_t bit) {
  std::vector<std::uint32_t> words = lists[list];
  words.resize(std::max<std::size_t>(words.size(), bit / 32 + 1), 0);
  words[bit / 32] |= 1U << (bit % 32);
  return lists.intern(std::move(words)).first;
}

}  // namespace vernal::grammar

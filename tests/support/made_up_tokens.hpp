// Makes token sequences without a meaning, and compares results to the bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace vernal::test {

using Tokens = std::vector<std::int32_t>;

/// `count` ids in [10, 510). Each seed gives another sequence.
inline Tokens tokens_of(std::uint32_t seed, std::size_t count) {
  Tokens tokens;
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    tokens.push_back(static_cast<std::int32_t>(state >> 8U) % 500 + 10);
  }
  return tokens;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace vernal::test

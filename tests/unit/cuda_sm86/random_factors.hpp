// Factors of 8-bit products, and their products by plain loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace vernal::cuda_sm86 {

inline std::vector<std::int8_t> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> bytes(count);
  for (std::int8_t& byte : bytes) {
    byte = static_cast<std::int8_t>(random() & 0xFFU);
  }
  return bytes;
}

/// The same bytes, four to a word, the first one lowest.
inline std::vector<std::uint32_t> words_of(const std::vector<std::int8_t>& bytes) {
  std::vector<std::uint32_t> words(bytes.size() / 4);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

/// c[i, j] = the product of row i of a and row j of b, both [*, k].
inline std::vector<std::int32_t> product_of(const std::vector<std::int8_t>& a,
                                            const std::vector<std::int8_t>& b, std::size_t k) {
  std::vector<std::int32_t> c;
  for (std::size_t i = 0; i < a.size(); i += k) {
    for (std::size_t j = 0; j < b.size(); j += k) {
      std::int32_t sum = 0;
      for (std::size_t l = 0; l < k; ++l) {
        sum += a[i + l] * b[j + l];
      }
      c.push_back(sum);
    }
  }
  return c;
}

}  // namespace vernal::cuda_sm86

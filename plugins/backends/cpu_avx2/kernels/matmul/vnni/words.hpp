// Packed weights (packed_weights.hpp) in the registers of V, and their bit fields.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vernal::cpu_avx2::vnni {

/// The words of a block, of one group of rows or of two that are `stride` bytes apart.
template <class V>
struct Words {
  const std::byte* data;
  std::int64_t stride;

  typename V::Ints operator[](int i) const { return V::load_words(data + 32 * i, stride); }
  Words from(int i) const { return {data + 32 * i, stride}; }
};

}  // namespace vernal::cpu_avx2::vnni

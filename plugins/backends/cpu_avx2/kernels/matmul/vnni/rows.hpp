// The rows that a kernel of this folder multiplies at once, and how it goes through a matrix.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.hpp"
#include "kernels/matmul/vnni/unrolled.hpp"
#include "kernels/matmul/vnni/words.hpp"

namespace vernal::cpu_avx2::vnni {

/// One group of eight rows, or as many neighbouring ones as V has rows.
template <class V>
struct Rows {
  const std::byte* data;  ///< of the first group
  std::int64_t stride;    ///< from it to the second; 0: there is none, and its lanes are not stored
  std::int64_t next;      ///< from `data` to the rows that are probably multiplied next
  std::int64_t first;     ///< row
  std::int64_t count;     ///< rows that exist

  /// Adds bias and residual and writes the lanes that are rows to y[token, first ..].
  void store(const Matmul& matmul, std::int64_t token, typename V::Floats sums) const {
    const std::int64_t at = token * matmul.y_stride + first;
    if (matmul.bias) sums = V::add(sums, V::load_floats(matmul.bias + first, count));
    if (matmul.residual) sums = V::add(sums, V::load_floats(matmul.residual + at, count));
    V::store_floats(matmul.y + at, count, sums);
  }
};

/// How far ahead of its use a kernel asks for the weights of a group. Past the last column these
/// are the first ones of the rows that come next.
inline constexpr std::int64_t kPrefetchBytes = 4096;

/// Asks for the lines that lie kPrefetchBytes behind block b of `words`.
template <class V, int kWords>
void prefetch_block(const Rows<V>& rows, const Words<V>& words, std::int64_t b,
                    std::int64_t num_blocks) {
  constexpr std::int64_t kBlockBytes = 32 * kWords;
  constexpr std::int64_t kAhead = (kPrefetchBytes + kBlockBytes - 1) / kBlockBytes;
  const bool is_next = b + kAhead >= num_blocks;
  const std::byte* p =
      words.data + kBlockBytes * kAhead + (is_next ? rows.next - num_blocks * kBlockBytes : 0);
  unrolled<(32 * kWords + 63) / 64>([&](auto line) {
    constexpr std::int64_t kAt = 64 * decltype(line)::value;
    _mm_prefetch(reinterpret_cast<const char*>(p + kAt), _MM_HINT_T1);
    if constexpr (V::kRows > kRowGroup) {
      _mm_prefetch(reinterpret_cast<const char*>(p + rows.stride + kAt), _MM_HINT_T1);
    }
  });
}

/// Calls kernel(rows, first_token, num_tokens) for the groups [first, last) and tiles of tokens: all
/// rows for one tile, then the next tile.
template <class V, class Kernel>
void for_each_rows(const Matmul& matmul, std::int64_t first, std::int64_t last, Kernel&& kernel) {
  constexpr std::int64_t kGroups = V::kRows / kRowGroup;
  const PackedMatrix& weights = matmul.weights;
  const std::int64_t bytes = group_bytes(*weights.format, weights.num_columns);
  const std::int64_t tile = token_tile(weights.num_columns);
  for (std::int64_t token = 0; token < matmul.num_tokens; token += tile) {
    const std::int64_t left = matmul.num_tokens - token;
    for (std::int64_t group = first; group < last; group += kGroups) {
      const bool is_whole = last - group >= kGroups;
      const std::int64_t end = (is_whole ? group + kGroups : last) * kRowGroup;
      const std::int64_t row = group * kRowGroup;
      const Rows<V> rows{weights.data + group * bytes, is_whole ? bytes : 0, kGroups * bytes, row,
                         (end < weights.num_rows ? end : weights.num_rows) - row};
      kernel(rows, token, left < tile ? left : tile);
    }
  }
}

}  // namespace vernal::cpu_avx2::vnni

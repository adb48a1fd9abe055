// One group of eight packed rows and its place in the product: what all matrix kernels share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

/// How far ahead of its use a decode kernel asks for weights. Groups follow each other, so this is
/// mostly the next columns or the next group. Measured on q4_K from memory, two threads: 66 % of
/// the read bandwidth without it, 82 % at 2 KiB, 90 % at 4.5 to 7 KiB, 84 % at 9 KiB.
inline constexpr std::int64_t kPrefetchBytes = 6144;

/// Asks for the lines of [p, p + bytes) + kPrefetchBytes, as what is read once: then they do not
/// push the activations out of the second cache. Past the end of the weights it does nothing.
inline void prefetch_ahead(const std::byte* p, std::int64_t bytes) {
  for (std::int64_t line = 0; line < bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(p + kPrefetchBytes + line), _MM_HINT_NTA);
  }
}

/// Asks for the scales that the next group has for block b, if they lie apart from the words, f16
/// [blocks][8] behind those of each group: nothing else asks for them in time. One line serves four
/// blocks.
///   scales  of block b in this group, of `bytes` bytes
inline void prefetch_next_scales(const std::byte* scales, std::int64_t bytes, std::int64_t b) {
  if (b % 4 == 0) _mm_prefetch(reinterpret_cast<const char*>(scales + bytes), _MM_HINT_T1);
}

struct RowGroup {
  const std::byte* data;
  std::int64_t bytes;  // from one group to the next
  std::int64_t first;  // row
  std::int64_t count;  // rows that exist, 1..8

  RowGroup(const PackedMatrix& weights, std::int64_t group, std::int64_t bytes_of_group)
      : data(weights.data + group * bytes_of_group),
        bytes(bytes_of_group),
        first(group * kRowGroup),
        count(std::min(kRowGroup, weights.num_rows - first)) {}

  /// Adds bias and residual and writes the lanes that are rows to y[token, first ..].
  void store(const Matmul& matmul, std::int64_t token, __m256 sums) const {
    const std::int64_t at = token * matmul.y_stride + first;
    const __m256i mask = lane_mask(count);
    if (matmul.bias) sums = _mm256_add_ps(sums, _mm256_maskload_ps(matmul.bias + first, mask));
    if (matmul.residual) sums = _mm256_add_ps(sums, _mm256_maskload_ps(matmul.residual + at, mask));
    if (count == kRowGroup) {
      _mm256_storeu_ps(matmul.y + at, sums);
    } else {
      _mm256_maskstore_ps(matmul.y + at, mask, sums);
    }
  }
};

/// Calls kernel(group, first_token, num_tokens) for the groups [first, last) and tiles of tokens:
/// all groups for one tile, then the next tile.
template <class Kernel>
void for_each_tile(const Matmul& matmul, std::int64_t bytes_per_token, std::int64_t first,
                   std::int64_t last, Kernel&& kernel) {
  const std::int64_t bytes = group_bytes(*matmul.weights.format, matmul.weights.num_columns);
  const std::int64_t tile = token_tile(bytes_per_token);
  for (std::int64_t token = 0; token < matmul.num_tokens; token += tile) {
    const std::int64_t count = std::min(tile, matmul.num_tokens - token);
    for (std::int64_t group = first; group < last; ++group) {
      kernel(RowGroup(matmul.weights, group, bytes), token, count);
    }
  }
}

}  // namespace vernal::cpu_avx2

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

/// Asks for the scales that the rows which come next have for block b, if they lie apart from the
/// words, f16 [blocks][8] behind those of each group: nothing else asks for them in time. One line
/// serves four blocks.
template <class V>
[[gnu::always_inline]] inline void prefetch_next_scales(const Rows<V>& rows,
                                                        const std::byte* scales, std::int64_t b) {
  if (b % 4 != 0) return;
  _mm_prefetch(reinterpret_cast<const char*>(scales + rows.next), _MM_HINT_T0);
  if constexpr (V::kRows > kRowGroup) {
    _mm_prefetch(reinterpret_cast<const char*>(scales + rows.next + rows.stride), _MM_HINT_T0);
  }
}

/// The weights that a kernel asks for while it multiplies a block: what lies V::kPrefetchBytes behind.
/// With one group and blocks of 256 this is a run of bytes through all groups. Else it is a block of
/// the same rows, or past the last column one of the rows that come next; for blocks of 32 that is
/// better too, because many scales lie between two groups (q8_0, 1536 columns: 36 GB/s, else 29).
template <class V, int kWords>
struct Ahead {
  static constexpr std::int64_t kBlockBytes = 32 * kWords;

  Ahead(const Rows<V>& rows, const Words<V>& words, std::int64_t b, std::int64_t num_blocks)
      : stride(words.stride) {
    constexpr std::int64_t kBlocks = (V::kPrefetchBytes + kBlockBytes - 1) / kBlockBytes;
    constexpr bool kIsRun = V::kRows == kRowGroup && kWords > 8;  // 8: most of a block of 32
    data = words.data + (kIsRun ? V::kPrefetchBytes : kBlocks * kBlockBytes);
    if (!kIsRun && b + kBlocks >= num_blocks) data += rows.next - num_blocks * kBlockBytes;
  }

  /// Asks for part kPart of kParts, as what is read once: then it does not push the activations out
  /// of the second cache. Many requests at once would take the buffers that the loads of
  /// the next instructions need, so they are spread over the block. Inlined always: a compiler takes
  /// a call that does nothing else for one without effect.
  template <int kPart, int kParts>
  [[gnu::always_inline]] inline void prefetch() const {
    constexpr std::int64_t kLines = (kBlockBytes + 63) / 64;
#pragma GCC unroll 64
    for (std::int64_t line = kLines * kPart / kParts; line < kLines * (kPart + 1) / kParts;
         ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(data + 64 * line), _MM_HINT_NTA);
      if constexpr (V::kRows > kRowGroup) {
        _mm_prefetch(reinterpret_cast<const char*>(data + stride + 64 * line), _MM_HINT_NTA);
      }
    }
  }

  const std::byte* data;
  std::int64_t stride;
};

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

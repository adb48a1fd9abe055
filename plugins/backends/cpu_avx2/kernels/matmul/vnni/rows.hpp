// The rows that a kernel of this folder multiplies at once, and how it goes through a matrix.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.hpp"
#include "kernels/matmul/vnni/unrolled.hpp"
#include "kernels/matmul/vnni/words.hpp"
#include "kernels/prefetch.hpp"

namespace vernal::cpu_avx2::vnni {

/// One group of eight rows, or as many neighbouring ones as V has rows.
template <class V>
struct Rows {
  const std::byte* data;  ///< of the first group
  std::int64_t stride;    ///< from it to the second; 0: there is none, and its lanes are not stored
  std::int64_t next;      ///< from `data` to the rows that are probably multiplied next
  std::int64_t first;     ///< row
  std::int64_t count;     ///< rows that exist
  Requests requests;      ///< as requests_of() has it

  /// Adds bias and residual and writes the lanes that are rows to y[token, first ..].
  void store(const Matmul& matmul, std::int64_t token, typename V::Floats sums) const {
    const std::int64_t at = token * matmul.y_stride + first;
    if (matmul.bias) sums = V::add(sums, V::load_floats(matmul.bias + first, count));
    if (matmul.residual) sums = V::add(sums, V::load_floats(matmul.residual + at, count));
    V::store_floats(matmul.y + at, count, sums);
  }
};

/// The weights that a kernel asks for while it multiplies a block: what lies some way behind it. With
/// one group this is a run of bytes through all groups. With two it is a block of the same
/// rows, or past the last column one of the rows that come next.
///   kScaleBytes  as block_place() has it
template <class V, int kWords, int kScaleBytes>
struct Ahead {
  static constexpr std::int64_t kBlockBytes = 32 * kWords;

  [[gnu::always_inline]] inline Ahead(const Rows<V>& rows, const Words<V>& words, std::int64_t b,
                                      std::int64_t num_blocks)
      : address(address_of(words.data) + distance(rows.requests)),
        stride(words.stride),
        requests(rows.requests),
        is_first(is_behind_scales(b, kScaleBytes)) {
    if constexpr (V::kRows == kRowGroup) return;
    if (requests == Requests::kNone) return;
    std::int64_t wanted = b + (distance(requests) + kBlockBytes - 1) / kBlockBytes;
    const bool is_here = wanted < num_blocks;
    if (!is_here) wanted -= num_blocks;
    address = address_of(words.data) + (is_here ? 0 : rows.next) + place(wanted) - place(b);
  }

  /// Asks for part kPart of kParts. Many requests at once would take the buffers that the loads of
  /// the next instructions need, so they are spread over the block. Inlined always: a compiler takes
  /// a call that does nothing else for one without effect.
  template <int kPart, int kParts>
  [[gnu::always_inline]] inline void prefetch() const {
    if (requests == Requests::kSecondCache) {
      ask_for_part<Into::kSecondCache, kPart, kParts>();
    } else if (requests == Requests::kReadOnce) {
      ask_for_part<Into::kFirstCacheOnly, kPart, kParts>();
    }
  }

  template <Into kInto, int kPart, int kParts>
  [[gnu::always_inline]] inline void ask_for_part() const {
    if (kPart == 0 && is_first) ask<kInto>(-kScaleLine);
    constexpr std::int64_t kLines = (kBlockBytes + 63) / 64;
#pragma GCC unroll 64
    for (std::int64_t line = kLines * kPart / kParts; line < kLines * (kPart + 1) / kParts;
         ++line) {
      ask<kInto>(64 * line);
    }
  }
  template <Into kInto>
  [[gnu::always_inline]] inline void ask(std::int64_t offset) const {
    prefetch_line<kInto>(address + offset);
    if constexpr (V::kRows > kRowGroup) {
      prefetch_line<kInto>(address + stride + offset);
    }
  }
  [[gnu::always_inline]] static std::int64_t distance(Requests requests) {
    return requests == Requests::kSecondCache ? kSecondCacheAhead : V::kPrefetchBytes;
  }
  [[gnu::always_inline]] static std::int64_t place(std::int64_t b) {
    return block_place(b, kBlockBytes, kScaleBytes).words;
  }

  std::int64_t address;
  std::int64_t stride;
  Requests requests;
  bool is_first;  ///< of the blocks whose scales share a line, which lies in front of it
};

/// Calls kernel(rows, first_token, num_tokens) for the groups [first, last) and tiles of tokens: all
/// rows for one tile, then the next tile.
template <class V, class Kernel>
void for_each_rows(const Matmul& matmul, std::int64_t first, std::int64_t last, Kernel&& kernel) {
  constexpr std::int64_t kGroups = V::kRows / kRowGroup;
  const PackedMatrix& weights = matmul.weights;
  const std::int64_t bytes = group_bytes(*weights.format, weights.num_columns);
  const std::int64_t tile = token_tile(weights.num_columns);
  const Requests requests = requests_of(matmul);
  for (std::int64_t token = 0; token < matmul.num_tokens; token += tile) {
    const std::int64_t left = matmul.num_tokens - token;
    for (std::int64_t group = first; group < last; group += kGroups) {
      const bool is_whole = last - group >= kGroups;
      const std::int64_t end = (is_whole ? group + kGroups : last) * kRowGroup;
      const std::int64_t row = group * kRowGroup;
      const Rows<V> rows{weights.data + group * bytes,
                         is_whole ? bytes : 0,
                         kGroups * bytes,
                         row,
                         (end < weights.num_rows ? end : weights.num_rows) - row,
                         requests};
      kernel(rows, token, left < tile ? left : tile);
    }
  }
}

}  // namespace vernal::cpu_avx2::vnni

// One group of eight packed rows and its place in the product: what all matrix kernels share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

/// How far ahead of its use a kernel asks for weights. Groups follow each other, so this is mostly
/// the next columns or the next group. Measured on q4_K from memory, two threads, on a processor
/// that needs it (Zen 5): 66 % of the read bandwidth without it, 82 % at 2 KiB, 90 %
/// at 4.5 to 7 KiB, 84 % at 9 KiB.
inline constexpr std::int64_t kPrefetchBytes = 6144;

struct RowGroup {
  const std::byte* data;
  std::int64_t first;  // row
  std::int64_t count;  // rows that exist, 1..8
  Requests requests;

  RowGroup(const Matmul& matmul, std::int64_t group, std::int64_t bytes_of_group,
           Requests requests_made)
      : data(matmul.weights.data + group * bytes_of_group),
        first(group * kRowGroup),
        count(std::min(kRowGroup, matmul.weights.num_rows - first)),
        requests(requests_made) {}

  /// Asks for what lies some way behind block b and the line of scales in front of it. Past the end of
  /// the weights it does nothing. Inlined always: a compiler takes a call that does nothing else for
  /// one without effect.
  ///   words                    of the block
  ///   word_bytes, scale_bytes  as in block_place()
  [[gnu::always_inline]] inline void ask_ahead(const std::byte* words, std::int64_t b,
                                               std::int64_t word_bytes,
                                               std::int64_t scale_bytes) const {
    if (requests == Requests::kNone) return;
    const std::int64_t address = address_of(words);
    const std::int64_t before = is_behind_scales(b, scale_bytes) ? kScaleLine : 0;
    if (requests == Requests::kSecondCache) {
      for (std::int64_t line = -before; line < word_bytes; line += 64) {
        prefetch_line<Into::kSecondCache>(address + kSecondCacheAhead + line);
      }
      return;
    }
    for (std::int64_t line = -before; line < word_bytes; line += 64) {
      prefetch_line<Into::kFirstCacheOnly>(address + kPrefetchBytes + line);
    }
  }

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

/// The groups of a product's weights, by index.
class RowGroups {
 public:
  explicit RowGroups(const Matmul& matmul)
      : matmul_(matmul),
        bytes_(group_bytes(*matmul.weights.format, matmul.weights.num_columns)),
        requests_(requests_of(matmul)) {}

  RowGroup operator[](std::int64_t group) const { return {matmul_, group, bytes_, requests_}; }

 private:
  const Matmul& matmul_;
  std::int64_t bytes_;  // of a group
  Requests requests_;
};

/// Calls kernel(first_token, num_tokens) for tiles of tokens.
template <class Kernel>
void for_each_token_tile(const Matmul& matmul, std::int64_t bytes_per_token, Kernel&& kernel) {
  const std::int64_t tile = token_tile(bytes_per_token);
  for (std::int64_t token = 0; token < matmul.num_tokens; token += tile) {
    kernel(token, std::min(tile, matmul.num_tokens - token));
  }
}

/// Calls kernel(group, first_token, num_tokens) for the groups [first, last) and tiles of tokens:
/// all groups for one tile, then the next tile.
template <class Kernel>
void for_each_tile(const Matmul& matmul, std::int64_t bytes_per_token, std::int64_t first,
                   std::int64_t last, Kernel&& kernel) {
  const RowGroups groups(matmul);
  for_each_token_tile(matmul, bytes_per_token, [&](std::int64_t token, std::int64_t count) {
    for (std::int64_t group = first; group < last; ++group) kernel(groups[group], token, count);
  });
}

}  // namespace vernal::cpu_avx2

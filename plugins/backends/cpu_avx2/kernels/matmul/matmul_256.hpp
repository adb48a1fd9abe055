// Integer matrix kernels over weight formats in blocks of 256 (formats_256.hpp).
//
// Eight packed rows are the lanes of every vector. For few tokens codes are used straight from the
// loaded words, for more a block is unpacked once and reused (tile_256.hpp). Both give the same bits:
// the sum of a block is an exact integer (matmul.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/block_256.hpp"
#include "kernels/matmul/row_group.hpp"
#include "kernels/matmul/tile_256.hpp"

namespace vernal::cpu_avx2 {

/// A weight scale (int16) times the multiplier of token n for the group of 32 around `column`.
inline __m256i scale_for(__m256i scale, const BlockInput& x, int n, int column) {
  const std::int16_t m = x.sums[kSumsPerBlock256 * n + kMultipliersAt + column / 32 * 2];
  return _mm256_mullo_epi16(scale, _mm256_set1_epi16(m));
}

/// sums[n] += part `part` of the block with kTokens tokens.
template <class Format, int kTokens>
inline void multiply_part(const std::byte* words, const typename Format::Scales& scales, int part,
                          const BlockInput& x, __m256i* sums) {
  __m256i products[Format::kStreams][kTokens];
#pragma GCC unroll 8
  for (int c = 0; c < Format::kChunks; ++c) {
    __m256i codes[Format::kStreams];
    Format::codes(words, part, c, codes);
#pragma GCC unroll 4
    for (int s = 0; s < Format::kStreams; ++s) {
      const int column = Format::column(part, c, s);
#pragma GCC unroll 4
      for (int n = 0; n < kTokens; ++n) {
        const __m256i a = broadcast_dword(x.codes + 256 * n + column);
        const __m256i pairs = multiply_pairs<Format::kSigned>(codes[s], a);
        products[s][n] = c == 0 ? pairs : in_register(_mm256_add_epi16(products[s][n], pairs));
      }
    }
  }
#pragma GCC unroll 4
  for (int s = 0; s < Format::kStreams; ++s) {
    const int column = Format::column(part, 0, s);
    const __m256i scale = scales.scale(group_of<Format>(column));
#pragma GCC unroll 4
    for (int n = 0; n < kTokens; ++n) {
      const __m256i scaled = _mm256_madd_epi16(products[s][n], scale_for(scale, x, n, column));
      sums[n] = in_register(_mm256_add_epi32(sums[n], scaled));
    }
  }
}

/// y for kTokens tokens from `token` on and one group.
template <class Format, int kTokens>
void multiply_few(const Matmul& matmul, const RowGroup& group, std::int64_t token) {
  const std::int64_t num_blocks = matmul.blocks.num_blocks();
  __m256 total[kTokens];
  for (int n = 0; n < kTokens; ++n) total[n] = _mm256_setzero_ps();
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const PackedBlock block = packed_block<Format>(group.data, b);
    const BlockInput x = block_input(matmul.blocks, b, token);
    const typename Format::Scales scales(block.words);
    group.ask_ahead(block.words, b, 32 * Format::kWords, kScaleBytes<Format>);
    __m256i sums[kTokens];
    for (int n = 0; n < kTokens; ++n) sums[n] = _mm256_setzero_si256();
#pragma GCC unroll 32
    for (int part = 0; part < Format::kParts; ++part) {
      multiply_part<Format, kTokens>(block.words, scales, part, x, sums);
    }
    const Factors factors = Format::factors(block);
    for (int n = 0; n < kTokens; ++n) {
      __m256i correction = _mm256_setzero_si256();
      if constexpr (Format::kCorrection != Correction::kNone) {
        correction = correction_sum<Format>([&](int p) { return scales.correction(p); },
                                            x.sums + kSumsPerBlock256 * n);
      }
      total[n] = add_block<Format>(total[n], factors, x.scales[n], sums[n], correction);
    }
  }
  for (int n = 0; n < kTokens; ++n) group.store(matmul, token + n, total[n]);
}

/// multiply_few() for `count` tokens, 1 <= count <= kMost.
template <class Format, int kMost>
void multiply_few_of(const Matmul& matmul, const RowGroup& group, std::int64_t token,
                     std::int64_t count) {
  if constexpr (kMost > 1) {
    if (count < kMost) return multiply_few_of<Format, kMost - 1>(matmul, group, token, count);
  }
  multiply_few<Format, kMost>(matmul, group, token);
}

/// Most tokens whose products with a part of a block fit the registers.
template <class Format>
inline constexpr int kFewTokens = 8 / Format::kStreams;

/// Fewest tokens for which two groups are taken at once: with few of them memory is what is waited for,
/// and two groups are two runs of it.
inline constexpr std::int64_t kFewestForTwoGroups = 12;

/// The kernel of one format: matmul_groups() for it.
template <class Format>
void matmul_groups_256(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  const RowGroups groups(matmul);
  for_each_token_tile(
      matmul, matmul.weights.num_columns, [&](std::int64_t token, std::int64_t count) {
        std::int64_t group = first;
        if constexpr (kGroupsAtOnce<Format> == 2) {
          for (; count >= kFewestForTwoGroups && group + 2 <= last; group += 2) {
            multiply_many<Format, 2>(matmul, {groups[group], groups[group + 1]}, token, count);
          }
        }
        for (; group < last; ++group) {
          if (count <= kFewTokens<Format>) {
            multiply_few_of<Format, kFewTokens<Format>>(matmul, groups[group], token, count);
          } else {
            multiply_many<Format, 1>(matmul, {groups[group]}, token, count);
          }
        }
      });
}

/// WeightFormat::word_places of a format that has place().
template <class Format>
inline constexpr auto kWordPlaces = word_places<Format::kWords>(Format::place);

/// The row of one format for the table of its family.
///   scale_at  where a block of the file has an f16 scale that is no part of a word; -1: nowhere
template <class Format>
constexpr WeightFormat row_256(std::string_view id, std::int64_t scale_at = -1) {
  constexpr std::int64_t kHeaderBytes = Format::kHeader ? 4 : 0;
  constexpr std::int64_t kScaleBytes = Format::kScaleLine ? 2 : 0;
  WeightFormat format = block_format(id, ActivationKind::kBlocks256, Format::kWords, kHeaderBytes,
                                     {scale_at, kScaleBytes}, matmul_groups_256<Format>);
  format.groups_at_once = kGroupsAtOnce<Format>;
  if constexpr (requires { Format::place(0); }) {
    static_assert(is_permutation(kWordPlaces<Format>));
    format.word_places = kWordPlaces<Format>.data();
  }
  return format;
}

}  // namespace vernal::cpu_avx2

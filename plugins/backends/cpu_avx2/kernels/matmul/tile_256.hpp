// Products of many tokens with weight formats in blocks of 256: a block of each of one or two groups of
// rows is unpacked into a tile, which all tokens then use.
//
// Two groups side by side share the loads of activations, which a processor with two loads in a cycle
// (AMD Zen) has no more of: three tokens times two groups take five loads for six products, four
// tokens times one group five for four. Their sums, products and codes are sixteen registers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/block_256.hpp"
#include "kernels/matmul/row_group.hpp"

namespace vernal::cpu_avx2 {

/// One block of eight rows, unpacked.
template <class Format>
struct Tile256 {
  static constexpr int kScales = Format::kScalePer16 ? 16 : 8;

  __m256i codes[64];                             // chunk c: columns 4c .. 4c + 3
  __m256i magnitudes[Format::kSigned ? 64 : 1];  // |codes|
  __m256i scales[kMostMultiplier + 1][kScales];  // [m]: times the multiplier m of a token
  __m256i corrections[kScales / 2];
  Factors factors;
};

template <class Format>
void unpack_tile(const PackedBlock& block, Tile256<Format>& tile) {
#pragma GCC unroll 32
  for (int part = 0; part < Format::kParts; ++part) {
#pragma GCC unroll 8
    for (int c = 0; c < Format::kChunks; ++c) {
      __m256i codes[Format::kStreams];
      Format::codes(block.words, part, c, codes);
#pragma GCC unroll 4
      for (int s = 0; s < Format::kStreams; ++s) {
        const int chunk = Format::column(part, c, s) / 4;
        tile.codes[chunk] = codes[s];
        if constexpr (Format::kSigned) tile.magnitudes[chunk] = _mm256_abs_epi8(codes[s]);
      }
    }
  }
  const typename Format::Scales scales(block.words);
#pragma GCC unroll 16
  for (int g = 0; g < Tile256<Format>::kScales; ++g) {
    const __m256i scale = scales.scale(g);
    tile.scales[1][g] = scale;
#pragma GCC unroll 4
    for (int m = 2; m <= kMostMultiplier; ++m) {
      tile.scales[m][g] = _mm256_add_epi16(tile.scales[m - 1][g], scale);
    }
  }
  if constexpr (Format::kCorrection != Correction::kNone) {
#pragma GCC unroll 8
    for (int p = 0; p < Tile256<Format>::kScales / 2; ++p)
      tile.corrections[p] = scales.correction(p);
  }
  tile.factors = Format::factors(block);
}

/// Groups of rows whose tiles are multiplied together where tokens are many. One where products are scaled
/// one or two at a time: the instructions that multiply are the limit then, not loads, and the scales of
/// four tokens fit the registers, those of two groups do not.
template <class Format>
inline constexpr int kGroupsAtOnce = Format::kChunks > 2 ? 2 : 1;

/// Tokens that kGroups tiles are multiplied with at once.
template <int kGroups>
inline constexpr int kTokensAtOnce = kGroups == 2 ? 3 : 4;

/// The multiplier of token n for the group of 32 around `column`.
inline std::size_t multiplier(const BlockInput& x, int n, int column) {
  return load_as<std::uint32_t>(x.sums + kSumsPerBlock256 * n + kMultipliersAt + column / 32 * 2);
}

/// int16 sums of chunks [first, first + kChunks) of the tiles with kTokens tokens.
template <class Format, int kGroups, int kTokens>
inline void multiply_chunks(const Tile256<Format>* tiles, const std::int8_t* x, int first,
                            __m256i (&products)[kTokens][kGroups]) {
#pragma GCC unroll 8
  for (int c = first; c < first + Format::kChunks; ++c) {
    __m256i codes[kGroups];
#pragma GCC unroll 2
    for (int t = 0; t < kGroups; ++t) codes[t] = tiles[t].codes[c];
#pragma GCC unroll 4
    for (int n = 0; n < kTokens; ++n) {
      const __m256i a = in_register(broadcast_dword(x + 256 * n + 4 * c));
#pragma GCC unroll 2
      for (int t = 0; t < kGroups; ++t) {
        __m256i pairs;
        if constexpr (Format::kSigned) {
          pairs = _mm256_maddubs_epi16(tiles[t].magnitudes[c], _mm256_sign_epi8(a, codes[t]));
        } else {
          pairs = _mm256_maddubs_epi16(codes[t], a);
        }
        products[n][t] = c == first ? pairs : in_register(_mm256_add_epi16(products[n][t], pairs));
      }
    }
  }
}

/// int32 sums of the tiles with kTokens tokens, scales and multipliers taken in.
template <class Format, int kGroups, int kTokens>
inline void multiply_codes(const Tile256<Format>* tiles, const BlockInput& x,
                           __m256i (&sums)[kTokens][kGroups]) {
  constexpr int kChunksPerScale = Format::kScalePer16 ? 4 : 8;
#pragma GCC unroll 4
  for (auto& token : sums) {
#pragma GCC unroll 2
    for (__m256i& sum : token) sum = _mm256_setzero_si256();
  }
  for (int g = 0; g < Tile256<Format>::kScales; ++g) {
#pragma GCC unroll 8
    for (int c = 0; c < kChunksPerScale; c += Format::kChunks) {
      __m256i products[kTokens][kGroups];
      multiply_chunks<Format>(tiles, x.codes, kChunksPerScale * g + c, products);
#pragma GCC unroll 4
      for (int n = 0; n < kTokens; ++n) {
        const std::size_t m = multiplier(x, n, 4 * kChunksPerScale * g);
#pragma GCC unroll 2
        for (int t = 0; t < kGroups; ++t) {
          const __m256i scaled = _mm256_madd_epi16(products[n][t], tiles[t].scales[m][g]);
          sums[n][t] = in_register(_mm256_add_epi32(sums[n][t], scaled));
        }
      }
    }
  }
}

/// totals[n][t] += tile t with token n, of kTokens tokens.
template <class Format, int kGroups, int kTokens>
void multiply_tiles(const Tile256<Format>* tiles, const BlockInput& x, __m256 (*totals)[kGroups]) {
  __m256i sums[kTokens][kGroups];
  multiply_codes<Format>(tiles, x, sums);
#pragma GCC unroll 4
  for (int n = 0; n < kTokens; ++n) {
    __m256i corrections[kGroups];
#pragma GCC unroll 2
    for (int t = 0; t < kGroups; ++t) {
      corrections[t] = _mm256_setzero_si256();
      if constexpr (Format::kCorrection != Correction::kNone) {
        corrections[t] = correction_sum<Format>([&](int p) { return tiles[t].corrections[p]; },
                                                x.sums + kSumsPerBlock256 * n);
      }
    }
#pragma GCC unroll 2
    for (int t = 0; t < kGroups; ++t) {
      totals[n][t] = add_block<Format>(totals[n][t], tiles[t].factors, x.scales[n], sums[n][t],
                                       corrections[t]);
    }
  }
}

/// multiply_tiles() for `count` tokens, 1 <= count <= kMost.
template <class Format, int kGroups, int kMost>
void multiply_tiles_of(const Tile256<Format>* tiles, const BlockInput& x, std::int64_t count,
                       __m256 (*totals)[kGroups]) {
  if constexpr (kMost > 1) {
    if (count < kMost)
      return multiply_tiles_of<Format, kGroups, kMost - 1>(tiles, x, count, totals);
  }
  multiply_tiles<Format, kGroups, kMost>(tiles, x, totals);
}

/// y for tokens [first, first + count) and kGroups groups.
template <class Format, int kGroups>
void multiply_many(const Matmul& matmul, const RowGroup (&groups)[kGroups], std::int64_t first,
                   std::int64_t count) {
  constexpr int kTokens = kTokensAtOnce<kGroups>;
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_blocks();
  __m256 totals[kTokenTile][kGroups];
  std::fill_n(totals[0], count * kGroups, _mm256_setzero_ps());
  Tile256<Format> tiles[kGroups];
  static_assert(sizeof(totals) + sizeof(tiles) < 31 * 1024, "matmul_groups() promises 32 KiB");
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    for (int t = 0; t < kGroups; ++t) {
      const PackedBlock block = packed_block<Format>(groups[t].data, b);
      groups[t].ask_ahead(block.words, b, 32 * Format::kWords, kScaleBytes<Format>);
      unpack_tile(block, tiles[t]);
    }
    std::int64_t n = 0;
    for (; n + kTokens <= count; n += kTokens) {
      multiply_tiles<Format, kGroups, kTokens>(tiles, block_input(x, b, first + n), totals + n);
    }
    if (n == count) continue;
    multiply_tiles_of<Format, kGroups, kTokens - 1>(tiles, block_input(x, b, first + n), count - n,
                                                    totals + n);
  }
  for (std::int64_t n = 0; n < count; ++n) {
    for (int t = 0; t < kGroups; ++t) groups[t].store(matmul, first + n, totals[n][t]);
  }
}

}  // namespace vernal::cpu_avx2

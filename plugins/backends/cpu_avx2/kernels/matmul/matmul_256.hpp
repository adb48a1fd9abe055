// Integer matrix kernels over weight formats in blocks of 256 (formats_256.hpp).
//
// Eight packed rows are the lanes of every vector. For few tokens codes are used straight from the
// loaded words, for more a block is unpacked once and reused. Both give the same bits: the
// sum of a block is an exact integer (matmul.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/formats_256.hpp"
#include "kernels/matmul/matmul.hpp"
#include "kernels/matmul/row_group.hpp"

namespace vernal::cpu_avx2 {

/// Activations of neighbouring tokens for one block of columns.
struct BlockInput {
  const std::int8_t* codes;  // 256 per token
  const std::int16_t* sums;  // kSumsPerBlock256 per token, multipliers among them
  const float* scales;       // one per token
};

inline BlockInput block_input(const ActivationBlocks& x, std::int64_t b, std::int64_t token) {
  const std::int64_t at = b * x.num_tokens + token;
  return {x.codes + 256 * at, x.sums + kSumsPerBlock256 * at, x.scales + at};
}

/// Bytes of a block's scales that are no part of a word.
template <class Format>
inline constexpr int kScaleBytes = Format::kScaleLine ? 16 : 0;

template <class Format>
inline PackedBlock packed_block(const std::byte* group, std::int64_t b) {
  const std::byte* const blocks = group + (Format::kHeader ? 32 : 0);
  const BlockPlace place = block_place(b, 32 * Format::kWords, kScaleBytes<Format>);
  return {blocks + place.words, blocks + place.scales, group};
}

template <class Format>
constexpr int group_of(int column) {
  return column / (Format::kScalePer16 ? 16 : 32);
}

/// A weight scale (int16) times the multiplier of token n for the group of 32 around `column`.
inline __m256i scale_for(__m256i scale, const BlockInput& x, int n, int column) {
  const std::int16_t m = x.sums[kSumsPerBlock256 * n + kMultipliersAt + column / 32 * 2];
  return _mm256_mullo_epi16(scale, _mm256_set1_epi16(m));
}

/// The multiplier of token n for the group of 32 around `column`.
inline std::size_t multiplier(const BlockInput& x, int n, int column) {
  return load_as<std::uint32_t>(x.sums + kSumsPerBlock256 * n + kMultipliersAt + column / 32 * 2);
}

/// What correction() of a format adds up to for one token, eight rows.
template <class Format, class CorrectionWords>
inline __m256i correction_sum(const CorrectionWords& words, const std::int16_t* sums) {
  constexpr int kPairs = Format::kScalePer16 ? 8 : 4;
  const std::int16_t* group_sums = sums + (Format::kScalePer16 ? 0 : kSumsOf32At);
  __m256i total = _mm256_setzero_si256();
#pragma GCC unroll 8
  for (int p = 0; p < kPairs; ++p) {
    const __m256i products = _mm256_madd_epi16(words(p), broadcast_dword(group_sums + 2 * p));
    total = _mm256_add_epi32(total, products);
  }
  return total;
}

/// total += the block, given its integer sum and correction: the one place where a block's sum
/// becomes a float.
template <class Format>
inline __m256 add_block(__m256 total, const Factors& factors, float activation_scale, __m256i sum,
                        __m256i correction) {
  const __m256 a = _mm256_set1_ps(activation_scale);
  if constexpr (Format::kCorrection == Correction::kIntoSum) sum = Format::correct(sum, correction);
  total = _mm256_fmadd_ps(_mm256_mul_ps(factors.scale, a), _mm256_cvtepi32_ps(sum), total);
  if constexpr (Format::kCorrection == Correction::kMinimum) {
    const __m256 minimum = _mm256_mul_ps(factors.minimum, a);
    total = _mm256_fnmadd_ps(minimum, _mm256_cvtepi32_ps(correction), total);
  }
  return total;
}

// ---- few tokens ---------------------------------------------------------------------------------

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

// ---- many tokens --------------------------------------------------------------------------------

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

/// int16 sums of chunks [first, first + kChunks) of the tile with kTokens tokens.
template <class Format, int kTokens>
inline void multiply_chunks(const Tile256<Format>& tile, const std::int8_t* x, int first,
                            __m256i* products) {
#pragma GCC unroll 8
  for (int c = 0; c < Format::kChunks; ++c) {
    const __m256i codes = tile.codes[first + c];
#pragma GCC unroll 4
    for (int n = 0; n < kTokens; ++n) {
      const __m256i a = broadcast_dword(x + 256 * n + 4 * (first + c));
      __m256i pairs;
      if constexpr (Format::kSigned) {
        pairs = _mm256_maddubs_epi16(tile.magnitudes[first + c], _mm256_sign_epi8(a, codes));
      } else {
        pairs = _mm256_maddubs_epi16(codes, a);
      }
      products[n] = c == 0 ? pairs : in_register(_mm256_add_epi16(products[n], pairs));
    }
  }
}

/// total[n] += the tile with kTokens tokens.
template <class Format, int kTokens>
void multiply_tile(const Tile256<Format>& tile, const BlockInput& x, __m256* total) {
  constexpr int kChunksPerScale = Format::kScalePer16 ? 4 : 8;
  __m256i sums[kTokens];
  for (int n = 0; n < kTokens; ++n) sums[n] = _mm256_setzero_si256();
  for (int g = 0; g < Tile256<Format>::kScales; ++g) {
    const auto* scales = reinterpret_cast<const std::byte*>(&tile.scales[0][g]);
#pragma GCC unroll 8
    for (int c = 0; c < kChunksPerScale; c += Format::kChunks) {
      __m256i products[kTokens];
      multiply_chunks<Format, kTokens>(tile, x.codes, kChunksPerScale * g + c, products);
#pragma GCC unroll 4
      for (int n = 0; n < kTokens; ++n) {
        const std::size_t m = multiplier(x, n, 4 * kChunksPerScale * g);
        const __m256i scale = load_256(scales + m * sizeof(tile.scales[0]));
        sums[n] = in_register(_mm256_add_epi32(sums[n], _mm256_madd_epi16(products[n], scale)));
      }
    }
  }
  for (int n = 0; n < kTokens; ++n) {
    __m256i correction = _mm256_setzero_si256();
    if constexpr (Format::kCorrection != Correction::kNone) {
      correction = correction_sum<Format>([&](int p) { return tile.corrections[p]; },
                                          x.sums + kSumsPerBlock256 * n);
    }
    total[n] = add_block<Format>(total[n], tile.factors, x.scales[n], sums[n], correction);
  }
}

/// y for tokens [first, first + count) and one group.
template <class Format>
void multiply_many(const Matmul& matmul, const RowGroup& group, std::int64_t first,
                   std::int64_t count) {
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_blocks();
  __m256 total[kTokenTile];
  std::fill_n(total, count, _mm256_setzero_ps());
  Tile256<Format> tile;
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const PackedBlock block = packed_block<Format>(group.data, b);
    group.ask_ahead(block.words, b, 32 * Format::kWords, kScaleBytes<Format>);
    unpack_tile(block, tile);
    std::int64_t n = 0;
    for (; n + 4 <= count; n += 4) {
      multiply_tile<Format, 4>(tile, block_input(x, b, first + n), total + n);
    }
    const BlockInput rest = block_input(x, b, first + n);
    switch (count - n) {
      case 3:
        multiply_tile<Format, 3>(tile, rest, total + n);
        break;
      case 2:
        multiply_tile<Format, 2>(tile, rest, total + n);
        break;
      case 1:
        multiply_tile<Format, 1>(tile, rest, total + n);
        break;
      default:
        break;
    }
  }
  for (std::int64_t n = 0; n < count; ++n) group.store(matmul, first + n, total[n]);
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

/// The kernel of one format: matmul_groups() for it.
template <class Format>
void matmul_groups_256(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  for_each_tile(matmul, matmul.weights.num_columns, first, last,
                [&](const RowGroup& group, std::int64_t token, std::int64_t count) {
                  if (count <= kFewTokens<Format>) {
                    multiply_few_of<Format, kFewTokens<Format>>(matmul, group, token, count);
                  } else {
                    multiply_many<Format>(matmul, group, token, count);
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
  if constexpr (requires { Format::place(0); }) {
    static_assert(is_permutation(kWordPlaces<Format>));
    format.word_places = kWordPlaces<Format>.data();
  }
  return format;
}

}  // namespace vernal::cpu_avx2

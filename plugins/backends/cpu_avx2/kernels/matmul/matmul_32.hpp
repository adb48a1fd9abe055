// Integer matrix kernels over weight formats in blocks of 32 (formats_32.hpp): the two ways of
// matmul_256.hpp, with one f32 fused multiply-add per block of 32 columns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/formats_32.hpp"
#include "kernels/matmul/matmul.hpp"
#include "kernels/matmul/row_group.hpp"

namespace vernal::cpu_avx2 {

/// 2^(e - 128) for the eight bytes e at p. The two smallest are subnormal numbers.
inline __m256 load_exponents(const std::byte* p) {
  const __m256i e = _mm256_cvtepu8_epi32(load_64(p));
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, one), 23);
  const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
  return _mm256_castsi256_ps(_mm256_blendv_epi8(subnormal, normal, _mm256_cmpgt_epi32(e, one)));
}

/// Bytes of a block's scales that are no part of a word.
template <class Format>
inline constexpr std::int64_t kScaleBytes = Format::kScale == ScalePlace::kWord   ? 0
                                            : Format::kScale == ScalePlace::kLine ? 16
                                                                                  : 8;

/// One block of eight rows, unpacked.
template <class Format>
struct Codes32 {
  __m256i codes[8];                             // chunk c: columns 4c .. 4c + 3
  __m256i magnitudes[Format::kSigned ? 8 : 1];  // |codes|
  __m256 scale;
  __m256 minimum;
};

template <class Format>
inline void unpack_block(const std::byte* words, const std::byte* scales, Codes32<Format>& out) {
  Format::codes(words, out.codes);
  if constexpr (Format::kSigned) {
    for (int c = 0; c < 8; ++c) out.magnitudes[c] = _mm256_abs_epi8(out.codes[c]);
  }
  if constexpr (Format::kScale == ScalePlace::kLine) {
    out.scale = load_f16(scales);
  } else if constexpr (Format::kScale == ScalePlace::kExponentLine) {
    out.scale = load_exponents(scales);
  } else {
    const HalfPair pair = halves_of(word_of_rows(words, 0));
    out.scale = pair.low;
    out.minimum = pair.high;
  }
}

/// Lanes += the block with one token. x: 32 codes.
template <class Format>
inline __m256i dot_block(const Codes32<Format>& block, const std::int8_t* x) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 8
  for (int first = 0; first < 8; first += Format::kRun) {
    __m256i products = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int c = first; c < first + Format::kRun; ++c) {
      const __m256i a = broadcast_dword(x + 4 * c);
      if constexpr (Format::kSigned) {
        const __m256i pairs =
            _mm256_maddubs_epi16(block.magnitudes[c], _mm256_sign_epi8(a, block.codes[c]));
        products = in_register(_mm256_add_epi16(products, pairs));
      } else {
        const __m256i pairs = _mm256_maddubs_epi16(block.codes[c], a);
        products = in_register(_mm256_add_epi16(products, pairs));
      }
    }
    sum = in_register(_mm256_add_epi32(sum, _mm256_madd_epi16(products, ones)));
  }
  return sum;
}

/// total += the block: (D * A) * (sum - kOffset * sigma), then m * (A * sigma). The one place where
/// a block's sum becomes a float.
template <class Format>
inline __m256 add_block(__m256 total, const Codes32<Format>& block, __m256i sum,
                        const ActivationBlocks& x, std::int64_t at) {
  if constexpr (Format::kOffset > 0) {
    sum = _mm256_sub_epi32(sum, _mm256_set1_epi32(Format::kOffset * x.sums[kSumsPerBlock32 * at]));
  }
  const __m256 scale = _mm256_mul_ps(block.scale, _mm256_set1_ps(x.scales[at]));
  total = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(sum), total);
  if constexpr (Format::kMinimum) {
    total = _mm256_fmadd_ps(block.minimum, _mm256_set1_ps(x.scaled_sums[at]), total);
  }
  return total;
}

/// Unpacks block b of a group and asks for weights that come later.
template <class Format>
inline void unpack_ahead(const RowGroup& group, std::int64_t b, Codes32<Format>& out) {
  const BlockPlace place = block_place(b, 32 * Format::kWords, kScaleBytes<Format>);
  group.ask_ahead(group.data + place.words, b, 32 * Format::kWords, kScaleBytes<Format>);
  unpack_block(group.data + place.words, group.data + place.scales, out);
}

/// total[n] += kBlocks unpacked blocks with kTokens tokens.
template <class Format, int kTokens>
inline void multiply_blocks(const Codes32<Format>* blocks, std::int64_t first_block, int num_blocks,
                            const ActivationBlocks& x, std::int64_t token, __m256* total) {
  for (int b = 0; b < num_blocks; ++b) {
    const std::int64_t at = (first_block + b) * x.num_tokens + token;
#pragma GCC unroll 4
    for (int n = 0; n < kTokens; ++n) {
      const __m256i sum = dot_block(blocks[b], x.codes + 32 * (at + n));
      total[n] = add_block(total[n], blocks[b], sum, x, at + n);
    }
  }
}

/// y for tokens [first, first + count) and one group. Blocks are unpacked a few at a time, so that
/// a token's running sum is loaded and stored once per few blocks.
template <class Format>
void multiply_group(const Matmul& matmul, const RowGroup& group, std::int64_t first,
                    std::int64_t count) {
  constexpr int kBlocks = 8;
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_blocks();
  __m256 total[kTokenTile];
  std::fill_n(total, count, _mm256_setzero_ps());
  Codes32<Format> blocks[kBlocks];
  for (std::int64_t b = 0; b < num_blocks; b += kBlocks) {
    const auto here = static_cast<int>(std::min<std::int64_t>(kBlocks, num_blocks - b));
    for (int i = 0; i < here; ++i) {
      unpack_ahead(group, b + i, blocks[i]);
    }
    std::int64_t n = 0;
    for (; n + 4 <= count; n += 4) {
      multiply_blocks<Format, 4>(blocks, b, here, x, first + n, total + n);
    }
    for (; n < count; ++n) multiply_blocks<Format, 1>(blocks, b, here, x, first + n, total + n);
  }
  for (std::int64_t n = 0; n < count; ++n) group.store(matmul, first + n, total[n]);
}

/// multiply_group() for one token without the detour over memory: decode.
template <class Format>
void multiply_one(const Matmul& matmul, const RowGroup& group, std::int64_t token) {
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_blocks();
  __m256 total = _mm256_setzero_ps();
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const std::int64_t at = b * x.num_tokens + token;
    Codes32<Format> block;
    unpack_ahead(group, b, block);
    total = add_block(total, block, dot_block(block, x.codes + 32 * at), x, at);
  }
  group.store(matmul, token, total);
}

/// The kernel of one format: matmul_groups() for it.
template <class Format>
void matmul_groups_32(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  for_each_tile(matmul, matmul.weights.num_columns, first, last,
                [&](const RowGroup& group, std::int64_t token, std::int64_t count) {
                  if (count == 1) {
                    multiply_one<Format>(matmul, group, token);
                  } else {
                    multiply_group<Format>(matmul, group, token, count);
                  }
                });
}

}  // namespace vernal::cpu_avx2

// What the kernels over weight formats in blocks of 256 share: the activations of a block, and how the
// integer sum of a block becomes a float.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/formats_256.hpp"
#include "kernels/matmul/matmul.hpp"
#include "kernels/simd.hpp"

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

}  // namespace vernal::cpu_avx2

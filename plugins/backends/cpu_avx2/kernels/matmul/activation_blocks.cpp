#include "kernels/matmul/activation_blocks.hpp"

#include <algorithm>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::size_t kAlignment = 64;  // a cache line

std::size_t round_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

struct Sizes {
  std::size_t codes, scales, scaled_sums, sums;
};

Sizes sizes_of(ActivationKind kind, std::int64_t num_tokens, std::int64_t num_columns) {
  const auto tokens = static_cast<std::size_t>(num_tokens);
  const auto columns = static_cast<std::size_t>(num_columns);
  const bool wide = kind == ActivationKind::kBlocks256;
  const std::size_t blocks = tokens * (columns / (wide ? 256U : 32U));
  const auto sums = static_cast<std::size_t>(wide ? kSumsPerBlock256 : kSumsPerBlock32);
  return {round_up(tokens * columns), round_up(blocks * sizeof(float)),
          wide ? 0 : round_up(blocks * sizeof(float)),
          round_up(blocks * sums * sizeof(std::int16_t))};
}

__m256 absolute(__m256 v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v); }

float largest_magnitude(const float* x, int count) {
  __m256 largest = _mm256_setzero_ps();
  for (int i = 0; i < count; i += 8)
    largest = _mm256_max_ps(largest, absolute(_mm256_loadu_ps(x + i)));
  return max_lanes(largest);
}

/// 1 / A, or 0 where the block is to become zero.
float inverse_scale(float largest) { return largest >= 1e-30F ? 127.0F / largest : 0.0F; }
float scale_of(float largest) { return largest >= 1e-30F ? largest / 127.0F : 0.0F; }

/// 32 floats -> 32 codes in order.
__m256i codes_of(const float* x, __m256 inverse) {
  __m256i part[4];
  for (int i = 0; i < 4; ++i) {
    part[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), inverse));
  }
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]),
                                            _mm256_packs_epi32(part[2], part[3]));
  return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// Sums of four neighbouring codes, eight lanes.
__m256i sums_of_four(__m256i codes) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), codes), _mm256_set1_epi16(1));
}

/// The least multiplier m with largest_of_group <= largest_of_block * m / 4.
int multiplier_of(float largest_of_group, float largest_of_block) {
  int m = 1;
  while (m < kMostMultiplier &&
         largest_of_group * kMostMultiplier > largest_of_block * static_cast<float>(m)) {
    ++m;
  }
  return m;
}

void quantize_block_256(const float* x, std::int8_t* codes, float* scale, std::int16_t* sums) {
  float largest_of[8];
  float largest = 0;
  for (int group = 0; group < 8; ++group) {
    largest_of[group] = largest_magnitude(x + 32 * group, 32);
    largest = std::max(largest, largest_of[group]);
  }
  const float inverse = inverse_scale(largest) * kMostMultiplier;
  *scale = scale_of(largest) / kMostMultiplier;
  for (int group = 0; group < 8; ++group) {
    const int m = multiplier_of(largest_of[group], largest);
    const __m256i packed =
        codes_of(x + 32 * group, _mm256_set1_ps(inverse / static_cast<float>(m)));
    store_256(codes + 32 * group, packed);
    const __m256i fours = sums_of_four(packed);
    const __m256i eights = _mm256_add_epi32(fours, _mm256_srli_epi64(fours, 32));
    const int even = m * (_mm256_extract_epi32(eights, 0) + _mm256_extract_epi32(eights, 2));
    const int odd = m * (_mm256_extract_epi32(eights, 4) + _mm256_extract_epi32(eights, 6));
    sums[2 * group] = static_cast<std::int16_t>(even);
    sums[2 * group + 1] = static_cast<std::int16_t>(odd);
    sums[kSumsOf32At + group] = static_cast<std::int16_t>(even + odd);
    sums[kMultipliersAt + 2 * group] = static_cast<std::int16_t>(m);
    sums[kMultipliersAt + 2 * group + 1] = 0;
  }
}

void quantize_row_256(const float* x, const ActivationBlocks& out, std::int64_t token) {
  for (std::int64_t b = 0; b < out.num_blocks(); ++b) {
    const std::int64_t at = b * out.num_tokens + token;
    quantize_block_256(x + 256 * b, out.codes + 256 * at, out.scales + at,
                       out.sums + kSumsPerBlock256 * at);
  }
}

void quantize_row_32(const float* x, const ActivationBlocks& out, std::int64_t token) {
  for (std::int64_t b = 0; b < out.num_blocks(); ++b) {
    const std::int64_t at = b * out.num_tokens + token;
    const float largest = largest_magnitude(x + 32 * b, 32);
    const __m256i packed = codes_of(x + 32 * b, _mm256_set1_ps(inverse_scale(largest)));
    store_256(out.codes + 32 * at, packed);
    const __m256i fours = sums_of_four(packed);
    const __m128i two =
        _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
    const __m128i one = _mm_add_epi32(two, _mm_srli_si128(two, 8));
    const int sum = _mm_cvtsi128_si32(one) + _mm_extract_epi32(one, 1);
    out.scales[at] = scale_of(largest);
    out.scaled_sums[at] = out.scales[at] * static_cast<float>(sum);
    out.sums[kSumsPerBlock32 * at] = static_cast<std::int16_t>(sum);
    out.sums[kSumsPerBlock32 * at + 1] = 0;
  }
}

}  // namespace

std::size_t activation_bytes(ActivationKind kind, std::int64_t num_tokens,
                             std::int64_t num_columns) {
  if (kind == ActivationKind::kFloat) return 0;
  const Sizes sizes = sizes_of(kind, num_tokens, num_columns);
  return sizes.codes + sizes.scales + sizes.scaled_sums + sizes.sums;
}

ActivationBlocks activation_blocks(ActivationKind kind, std::int64_t num_tokens,
                                   std::int64_t num_columns, std::byte* buffer) {
  const Sizes sizes = sizes_of(kind, num_tokens, num_columns);
  ActivationBlocks blocks;
  blocks.kind = kind;
  blocks.num_tokens = num_tokens;
  blocks.num_columns = num_columns;
  blocks.codes = reinterpret_cast<std::int8_t*>(buffer);
  buffer += sizes.codes;
  blocks.scales = reinterpret_cast<float*>(buffer);
  buffer += sizes.scales;
  blocks.scaled_sums = reinterpret_cast<float*>(buffer);
  buffer += sizes.scaled_sums;
  blocks.sums = reinterpret_cast<std::int16_t*>(buffer);
  return blocks;
}

void quantize_rows(const float* x, std::int64_t x_stride, const ActivationBlocks& out,
                   std::int64_t first, std::int64_t last) {
  const bool wide = out.kind == ActivationKind::kBlocks256;
  for (std::int64_t token = first; token < last; ++token) {
    const float* row = x + token * x_stride;
    if (wide) {
      quantize_row_256(row, out, token);
    } else {
      quantize_row_32(row, out, token);
    }
  }
}

}  // namespace vernal::cpu_avx2

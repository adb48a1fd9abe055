// The few AVX2 idioms that several kernels share: unaligned loads, sums across lanes in one fixed
// order, and the 8 x 8 transposition that turns "lane = column" into "lane = row".
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vernal::cpu_avx2 {

/// Lanes of a 256-bit vector of f32 or i32.
inline constexpr std::int64_t kLanes = 8;

inline __m256i load_256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline __m128i load_64(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }
inline void store_256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

/// A plain number at any alignment.
template <class T>
inline T load_as(const void* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

/// The four bytes at p in every lane.
inline __m256i broadcast_dword(const void* p) {
  return _mm256_set1_epi32(load_as<std::int32_t>(p));
}

inline __m256i combine(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/// Mask for maskload/maskstore: the first `count` lanes, 0 <= count <= 8.
inline __m256i lane_mask(std::int64_t count) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<std::int32_t>(count)), index);
}

/// Sum of the eight lanes: ((0+4)+(2+6)) + ((1+5)+(3+7)). The one order used everywhere.
inline float sum_lanes(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

inline float max_lanes(__m256 v) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// Lane r of the result is what `combine_two` makes of the lanes of v[r], of eight vectors, in the order of
/// sum_lanes().
template <class F>
inline __m256 fold_each(const __m256* v, F&& combine_two) {
  __m256 fours[4];  // of rows i and i + 4
  for (int i = 0; i < 4; ++i) {
    fours[i] = combine_two(_mm256_permute2f128_ps(v[i], v[i + 4], 0x20),
                           _mm256_permute2f128_ps(v[i], v[i + 4], 0x31));
  }
  __m256 twos[2];  // of rows 2 i, 2 i + 1 and those four further
  for (int i = 0; i < 2; ++i) {
    twos[i] = combine_two(_mm256_shuffle_ps(fours[2 * i], fours[2 * i + 1], 0x44),
                          _mm256_shuffle_ps(fours[2 * i], fours[2 * i + 1], 0xEE));
  }
  return combine_two(_mm256_shuffle_ps(twos[0], twos[1], 0x88),
                     _mm256_shuffle_ps(twos[0], twos[1], 0xDD));
}

/// Lane r of the result is max_lanes(v[r]), of eight vectors.
inline __m256 max_lanes_of_each(const __m256* v) {
  return fold_each(v, [](__m256 a, __m256 b) { return _mm256_max_ps(a, b); });
}

/// Lane r of the result is sum_lanes(v[r]), of eight vectors.
inline __m256 sum_lanes_of_each(const __m256* v) {
  return fold_each(v, [](__m256 a, __m256 b) { return _mm256_add_ps(a, b); });
}

/// Lane r of the result is the sum of the lanes of v[r].
inline __m256i sum_each(const __m256i* v) {
  const __m256i first =
      _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  const __m256i last =
      _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(first, last, 0x20),
                          _mm256_permute2x128_si256(first, last, 0x31));
}

/// Lane r of the result is the sum of the lanes of v[r], each in the order
/// ((0+1)+(2+3)) + ((4+5)+(6+7)).
inline __m256 sum_each(const __m256* v) {
  const __m256 first = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
  const __m256 last = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
  return _mm256_add_ps(_mm256_permute2f128_ps(first, last, 0x20),
                       _mm256_permute2f128_ps(first, last, 0x31));
}

/// Eight vectors of eight dwords become their transpose: out[c] lane r = in[r] lane c.
inline void transpose_dwords(const __m256i* in, __m256i* out) {
  __m256i pair[8];
  for (int r = 0; r < 8; r += 2) {
    pair[r] = _mm256_unpacklo_epi32(in[r], in[r + 1]);
    pair[r + 1] = _mm256_unpackhi_epi32(in[r], in[r + 1]);
  }
  for (int half = 0; half < 2; ++half) {  // columns c and c + 1 of both 128-bit halves
    const __m256i c0_low = _mm256_unpacklo_epi64(pair[half], pair[half + 2]);
    const __m256i c1_low = _mm256_unpackhi_epi64(pair[half], pair[half + 2]);
    const __m256i c0_high = _mm256_unpacklo_epi64(pair[half + 4], pair[half + 6]);
    const __m256i c1_high = _mm256_unpackhi_epi64(pair[half + 4], pair[half + 6]);
    const int c = 2 * half;
    out[c] = _mm256_permute2x128_si256(c0_low, c0_high, 0x20);
    out[c + 1] = _mm256_permute2x128_si256(c1_low, c1_high, 0x20);
    out[c + 4] = _mm256_permute2x128_si256(c0_low, c0_high, 0x31);
    out[c + 5] = _mm256_permute2x128_si256(c1_low, c1_high, 0x31);
  }
}

/// Eight f16 numbers at p, any alignment, as f32. Exact, subnormals included.
inline __m256 load_f16(const void* p) { return _mm256_cvtph_ps(load_128(p)); }

}  // namespace vernal::cpu_avx2

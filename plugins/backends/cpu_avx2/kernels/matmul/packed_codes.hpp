// Unpacking of packed weights (packed_weights.hpp) in registers: bit fields of eight rows at once.
//
// Vocabulary of the format descriptions in formats_256.hpp and formats_32.hpp: a *chunk* is four
// neighbouring columns, one byte per column in each row's 32-bit lane. The codes of a block come in
// *parts*; a part has kChunks chunks in each of kStreams places that share loads (low and high
// nibbles). All chunks of one stream of a part have the same scale.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

inline __m256i low_nibbles(__m256i bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(15)); }

inline __m256i high_nibbles(__m256i bytes) { return low_nibbles(_mm256_srli_epi16(bytes, 4)); }

/// Bits 2k and 2k + 1 of each byte.
inline __m256i bit_pairs(__m256i bytes, int k) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 2 * k), _mm256_set1_epi8(3));
}

/// The same value, in a register from here on. Without it g++ turns a chain of sums into a tree behind
/// all products, which then do not fit the registers, and loads a word again for each use.
inline __m256i in_register(__m256i v) {
  __asm__("" : "+x"(v));
  return v;
}

/// Word i of the block at `words`: the four bytes of each of eight rows.
inline __m256i word_of_rows(const std::byte* words, int i) {
  return in_register(load_256(words + 32 * i));
}

/// The sixteen values of iq4 codes in both halves, for a byte shuffle.
inline __m256i iq4_values(__m256i codes) {
  const __m128i values =
      _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), codes);
}

/// The same for the doubled four-bit floats of mxfp4.
inline __m256i mxfp4_values(__m256i codes) {
  const __m128i values = _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), codes);
}

/// A byte shuffle that gives each 32-bit lane bytes a, b, c, d of itself; 0x80 gives zero.
inline __m256i lane_bytes(int a, int b, int c, int d) {
  const std::int32_t first = a | b << 8 | c << 16 | d << 24;
  const auto select = static_cast<std::int32_t>(static_cast<std::uint32_t>(first));
  // Lane q of a half adds 4q to every selector that is not 0x80.
  const std::int32_t step = (a == 0x80 ? 0 : 4) | (b == 0x80 ? 0 : 4) << 8 |
                            (c == 0x80 ? 0 : 4) << 16 | (d == 0x80 ? 0 : 4) << 24;
  return _mm256_setr_epi32(select, select + step, select + 2 * step, select + 3 * step, select,
                           select + step, select + 2 * step, select + 3 * step);
}

/// Byte k (unsigned) of each lane, twice as int16.
inline __m256i byte_twice(__m256i bytes, int k) {
  return _mm256_shuffle_epi8(bytes, lane_bytes(k, 0x80, k, 0x80));
}

/// Bytes k and k + 1 (unsigned) of each lane as two int16.
inline __m256i byte_pair(__m256i bytes, int k) {
  return _mm256_shuffle_epi8(bytes, lane_bytes(k, 0x80, k + 1, 0x80));
}

/// Byte k (signed) of each lane, twice as int16.
inline __m256i signed_byte_twice(__m256i bytes, int k) {
  return _mm256_srai_epi16(_mm256_shuffle_epi8(bytes, lane_bytes(0x80, k, 0x80, k)), 8);
}

/// Bytes k and k + 1 (signed) of each lane as two int16.
inline __m256i signed_byte_pair(__m256i bytes, int k) {
  return _mm256_srai_epi16(_mm256_shuffle_epi8(bytes, lane_bytes(0x80, k, 0x80, k + 1)), 8);
}

/// The two f16 in each lane as f32: low half and high half.
struct HalfPair {
  __m256 low;
  __m256 high;
};

inline HalfPair halves_of(__m256i lanes) {
  const __m256i low = _mm256_and_si256(lanes, _mm256_set1_epi32(0xFFFF));
  const __m256i mixed = _mm256_packus_epi32(low, _mm256_srli_epi32(lanes, 16));
  const __m256i sorted = _mm256_permute4x64_epi64(mixed, 0xD8);
  return {_mm256_cvtph_ps(_mm256_castsi256_si128(sorted)),
          _mm256_cvtph_ps(_mm256_extracti128_si256(sorted, 1))};
}

/// sum(v * a) over neighbouring pairs of columns, two int16 per row. Exact for codes up to 129 in
/// magnitude and activations in -127..127.
template <bool kSigned>
inline __m256i multiply_pairs(__m256i codes, __m256i activations) {
  if constexpr (kSigned) {
    return _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(activations, codes));
  } else {
    return _mm256_maddubs_epi16(codes, activations);
  }
}

}  // namespace vernal::cpu_avx2

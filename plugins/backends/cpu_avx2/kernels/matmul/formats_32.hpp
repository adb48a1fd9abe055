// Weight formats in blocks of 32, packed over eight rows, as matmul_32.hpp reads them.
//
// A format states, for one block y = D * (code - kOffset) (+ m):
//   kWords            words per block
//   kScale            where D is
//   kSigned           codes are signed bytes, else unsigned
//   kOffset           what the unsigned codes are too high by
//   kMinimum          the block has an m
//   kRun              chunks whose products fit one int16 together
//   codes(words, out) the eight chunks of the block in column order
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/packed_codes.hpp"

namespace vernal::cpu_avx2 {

/// Where the scales of a block are: in word 0 with m above them, or in a line in front of a few blocks,
/// as f16 or as exponents.
enum class ScalePlace : std::uint8_t { kWord, kLine, kExponentLine };

/// Words first .. first + 3: their low nibbles are columns 0..15, the high ones 16..31.
inline void nibble_chunks(const std::byte* words, int first, __m256i* out) {
  for (int c = 0; c < 4; ++c) {
    const __m256i bytes = word_of_rows(words, first + c);
    out[c] = low_nibbles(bytes);
    out[4 + c] = high_nibbles(bytes);
  }
}

/// Adds 16 to the codes whose bit is set in word `word`: bit w belongs to column w.
inline void add_fifth_bits(const std::byte* words, int word, __m256i* out) {
  const __m256i bits = word_of_rows(words, word);
  const __m256i low = _mm256_set1_epi32(0x08040201);
  const __m256i high = _mm256_set1_epi32(static_cast<std::int32_t>(0x80402010U));
  for (int c = 0; c < 8; ++c) {
    const int k = c / 2;
    const __m256i mask = c % 2 == 0 ? low : high;
    const __m256i byte = _mm256_shuffle_epi8(bits, lane_bytes(k, k, k, k));
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(byte, mask), mask);
    out[c] = _mm256_or_si256(out[c], _mm256_and_si256(set, _mm256_set1_epi8(16)));
  }
}

struct Q4_0 {
  static constexpr int kWords = 4;
  static constexpr ScalePlace kScale = ScalePlace::kLine;
  static constexpr bool kSigned = false;
  static constexpr int kOffset = 8;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 8;
  static void codes(const std::byte* words, __m256i* out) { nibble_chunks(words, 0, out); }
};

struct Q4_1 {
  static constexpr int kWords = 5;
  static constexpr ScalePlace kScale = ScalePlace::kWord;
  static constexpr bool kSigned = false;
  static constexpr int kOffset = 0;
  static constexpr bool kMinimum = true;
  static constexpr int kRun = 8;
  static void codes(const std::byte* words, __m256i* out) { nibble_chunks(words, 1, out); }
};

struct Q5_0 {
  static constexpr int kWords = 5;
  static constexpr ScalePlace kScale = ScalePlace::kLine;
  static constexpr bool kSigned = false;
  static constexpr int kOffset = 16;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 4;
  static void codes(const std::byte* words, __m256i* out) {
    nibble_chunks(words, 1, out);
    add_fifth_bits(words, 0, out);
  }
};

struct Q5_1 {
  static constexpr int kWords = 6;
  static constexpr ScalePlace kScale = ScalePlace::kWord;
  static constexpr bool kSigned = false;
  static constexpr int kOffset = 0;
  static constexpr bool kMinimum = true;
  static constexpr int kRun = 4;
  static void codes(const std::byte* words, __m256i* out) {
    nibble_chunks(words, 2, out);
    add_fifth_bits(words, 1, out);
  }
};

struct Q6_0 {
  static constexpr int kWords = 6;
  static constexpr ScalePlace kScale = ScalePlace::kLine;
  static constexpr bool kSigned = false;
  static constexpr int kOffset = 32;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 2;  // 2 * 2 * 63 * 127 = 32004
  static void codes(const std::byte* words, __m256i* out) {
    nibble_chunks(words, 2, out);
    // Word c % 2 has the high bits of chunks c, c + 4, c + 2 and c + 6 from its lowest bits.
    for (int c = 0; c < 8; ++c) {
      const __m256i high = bit_pairs(word_of_rows(words, c % 2), c % 4 / 2 * 2 + c / 4);
      out[c] = _mm256_or_si256(out[c], _mm256_slli_epi16(high, 4));
    }
  }
};

struct Q8_0 {
  static constexpr int kWords = 8;
  static constexpr ScalePlace kScale = ScalePlace::kLine;
  static constexpr bool kSigned = true;
  static constexpr int kOffset = 0;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 1;
  static void codes(const std::byte* words, __m256i* out) {
    for (int c = 0; c < 8; ++c) out[c] = word_of_rows(words, c);
  }
};

struct Iq4Nl {
  static constexpr int kWords = 4;
  static constexpr ScalePlace kScale = ScalePlace::kLine;
  static constexpr bool kSigned = true;
  static constexpr int kOffset = 0;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 1;
  static void codes(const std::byte* words, __m256i* out) {
    nibble_chunks(words, 0, out);
    for (int c = 0; c < 8; ++c) out[c] = iq4_values(out[c]);
  }
};

struct Mxfp4 {
  static constexpr int kWords = 4;
  static constexpr ScalePlace kScale = ScalePlace::kExponentLine;
  static constexpr bool kSigned = true;
  static constexpr int kOffset = 0;
  static constexpr bool kMinimum = false;
  static constexpr int kRun = 8;  // 8 * 2 * 12 * 127 = 24384
  static void codes(const std::byte* words, __m256i* out) {
    nibble_chunks(words, 0, out);
    for (int c = 0; c < 8; ++c) out[c] = mxfp4_values(out[c]);
  }
};

}  // namespace vernal::cpu_avx2

// Weight formats in blocks of 256, packed over eight rows, as matmul_256.hpp reads them.
//
// A format states, for one block y = D * s * (v - offset) (- M * m):
//   kWords, kScaleLine, kHeader    words per block; D apart from the words; D in a row header
//   place(word)                    where a word of the file's block lies, if not at the same place
//   kSigned                        codes v are signed bytes, else unsigned
//   kParts, kChunks, kStreams      the order of codes, see packed_codes.hpp
//   kScalePer16                    scales s belong to 16 weights, else to 32
//   kCorrection                    what the correction words are for
//   column(part, chunk, stream)    first of the four columns of a chunk
//   codes(words, part, chunk, out) the chunk in every stream
//   Scales                         scale(g): s of group g twice per row; correction(p): words
//                                  2p and 2p + 1 per row, to be multiplied with the sums of groups
//                                  2p and 2p + 1
//   correct(sum, correction)       the block's sum with its correction (kIntoSum)
//   factors(...)                   D and M of the eight rows
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/packed_codes.hpp"
#include "kernels/matmul/word_places.hpp"

namespace vernal::cpu_avx2 {

/// Use of the correction words c of a format, sigma = sums of activation codes per group.
enum class Correction : std::uint8_t {
  kNone,
  kIntoSum,  ///< the block's integer sum changes by a multiple of sum(c * sigma): code offsets
  kMinimum,  ///< sum(c * sigma) is multiplied by -M: minimums
};

/// Where the parts of a block of a group lie.
struct PackedBlock {
  const std::byte* words;    // in the places of packed_weights.hpp
  const std::byte* scales;   // [8] f16, if the format keeps D apart
  const std::byte* headers;  // [8] f32, if the format has a scale per row
};

struct Factors {
  __m256 scale;
  __m256 minimum;
};

/// Six-bit scales and minimums of q4_K and q5_K, words 1 to 3. Byte k of a lane is group k, in the
/// second vector group 4 + k.
struct SixBitScales {
  __m256i scales[2];
  __m256i minimums[2];

  explicit SixBitScales(const std::byte* words) {
    const __m256i a = word_of_rows(words, 1);
    const __m256i b = word_of_rows(words, 2);
    const __m256i c = word_of_rows(words, 3);
    const __m256i six = _mm256_set1_epi8(63);
    const __m256i top = _mm256_set1_epi8(0x30);
    scales[0] = _mm256_and_si256(a, six);
    minimums[0] = _mm256_and_si256(b, six);
    scales[1] = _mm256_or_si256(low_nibbles(c), _mm256_and_si256(_mm256_srli_epi16(a, 2), top));
    minimums[1] = _mm256_or_si256(high_nibbles(c), _mm256_and_si256(_mm256_srli_epi16(b, 2), top));
  }
  __m256i scale(int group) const { return byte_twice(scales[group / 4], group % 4); }
  __m256i correction(int pair) const { return byte_pair(minimums[pair / 2], pair % 2 * 2); }
};

struct Q2K {
  static constexpr int kWords = 21;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = false;
  static constexpr int kParts = 4;
  static constexpr int kChunks = 4;  // 4 * 2 * 3 * 127 = 3048
  static constexpr int kStreams = 4;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kMinimum;

  /// Byte k of lane word i is group 4i + k: the scale in its low half, the minimum in the high one.
  struct Scales {
    __m256i bytes[4];
    explicit Scales(const std::byte* words) {
      for (int i = 0; i < 4; ++i) bytes[i] = word_of_rows(words, i);
    }
    __m256i scale(int group) const { return byte_twice(low_nibbles(bytes[group / 4]), group % 4); }
    __m256i correction(int pair) const {
      return byte_pair(high_nibbles(bytes[pair / 2]), pair % 2 * 2);
    }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return 128 * (part / 2) + 32 * stream + 16 * (part % 2) + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const __m256i bytes = word_of_rows(words, 4 + 4 * part + chunk);
    for (int s = 0; s < kStreams; ++s) out[s] = bit_pairs(bytes, s);
  }
  static Factors factors(const PackedBlock& block) {
    const HalfPair pair = halves_of(word_of_rows(block.words, 20));
    return {pair.low, pair.high};
  }
};

struct Q3K {
  static constexpr int kWords = 27;
  static constexpr int place(int word) { return q3_k_place(word); }
  static constexpr bool kScaleLine = true;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = false;  // 4 too high; correct() takes it back
  static constexpr int kParts = 4;
  static constexpr int kChunks = 4;  // 4 * 2 * 7 * 127 = 7112
  static constexpr int kStreams = 4;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  /// Byte k of bytes[i] is group 4i + k: low four bits from a half of word 24 or 25, high two from
  /// word 26.
  struct Scales {
    __m256i bytes[4];
    explicit Scales(const std::byte* words) {
      const __m256i high = word_of_rows(words, place(26));
      for (int i = 0; i < 4; ++i) {
        const __m256i stored = word_of_rows(words, place(24 + i % 2));
        const __m256i low = i < 2 ? low_nibbles(stored) : high_nibbles(stored);
        const __m256i six = _mm256_or_si256(low, _mm256_slli_epi16(bit_pairs(high, i), 4));
        bytes[i] = _mm256_sub_epi8(six, _mm256_set1_epi8(32));
      }
    }
    __m256i scale(int group) const { return signed_byte_twice(bytes[group / 4], group % 4); }
    __m256i correction(int pair) const { return signed_byte_pair(bytes[pair / 2], pair % 2 * 2); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return Q2K::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const __m256i bytes = word_of_rows(words, place(8 + 4 * part + chunk));
    const int word = 4 * (part % 2) + chunk;
    const __m256i thirds = _mm256_srli_epi16(word_of_rows(words, place(word)), part / 2 * 4);
    const __m256i four = _mm256_set1_epi8(4);
    for (int s = 0; s < kStreams; ++s) {
      const __m256i shifted =
          s < 2 ? _mm256_slli_epi16(thirds, 2 - s) : _mm256_srli_epi16(thirds, s - 2);
      out[s] = _mm256_or_si256(bit_pairs(bytes, s), _mm256_and_si256(shifted, four));
    }
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return _mm256_sub_epi32(sum, _mm256_slli_epi32(correction, 2));
  }
  static Factors factors(const PackedBlock& block) {
    return {load_f16(block.scales), _mm256_setzero_ps()};
  }
};

struct Q4K {
  static constexpr int kWords = 36;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = false;
  static constexpr int kParts = 4;
  static constexpr int kChunks = 8;  // 8 * 2 * 15 * 127 = 30480 fits an int16
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = false;
  static constexpr Correction kCorrection = Correction::kMinimum;
  using Scales = SixBitScales;

  static constexpr int column(int part, int chunk, int stream) {
    return 64 * part + 32 * stream + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const __m256i bytes = word_of_rows(words, 4 + 8 * part + chunk);
    out[0] = low_nibbles(bytes);
    out[1] = high_nibbles(bytes);
  }
  static Factors factors(const PackedBlock& block) {
    const HalfPair pair = halves_of(word_of_rows(block.words, 0));
    return {pair.low, pair.high};
  }
};

struct Q5K {
  static constexpr int kWords = 44;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = false;
  static constexpr int kParts = 8;
  static constexpr int kChunks = 4;  // 4 * 2 * 31 * 127 = 31496
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = false;
  static constexpr Correction kCorrection = Correction::kMinimum;
  using Scales = SixBitScales;

  static constexpr int column(int part, int chunk, int stream) {
    return 64 * (part / 2) + 32 * stream + 16 * (part % 2) + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const int word = 4 * (part % 2) + chunk;
    const __m256i bytes = word_of_rows(words, 12 + 8 * (part / 2) + word);
    const __m256i bits = _mm256_srli_epi16(word_of_rows(words, 4 + word), part / 2 * 2);
    const __m256i first = _mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi8(1)), 4);
    const __m256i second = _mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi8(2)), 3);
    out[0] = _mm256_or_si256(low_nibbles(bytes), first);
    out[1] = _mm256_or_si256(high_nibbles(bytes), second);
  }
  static Factors factors(const PackedBlock& block) { return Q4K::factors(block); }
};

struct Q6K {
  static constexpr int kWords = 52;
  static constexpr int place(int word) { return q6_k_place(word); }
  static constexpr bool kScaleLine = true;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = false;  // 32 too high; correct() takes it back
  static constexpr int kParts = 8;
  static constexpr int kChunks = 2;  // 2 * 2 * 63 * 127 = 32004
  static constexpr int kStreams = 4;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  struct Scales {
    __m256i bytes[4];
    explicit Scales(const std::byte* words) {
      for (int i = 0; i < 4; ++i) bytes[i] = word_of_rows(words, place(48 + i));
    }
    __m256i scale(int group) const { return signed_byte_twice(bytes[group / 4], group % 4); }
    __m256i correction(int pair) const { return signed_byte_pair(bytes[pair / 2], pair % 2 * 2); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return 128 * (part / 4) + 32 * stream + 8 * (part % 4) + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const int half = part / 4;
    const int word = 2 * (part % 4) + chunk;
    const __m256i first = word_of_rows(words, place(16 * half + word));
    const __m256i second = word_of_rows(words, place(16 * half + 8 + word));
    const __m256i high = word_of_rows(words, place(32 + 8 * half + word));
    const __m256i plane = _mm256_set1_epi8(0x30);
    const auto with_high = [&](__m256i low, __m256i shifted) {
      return _mm256_or_si256(low, _mm256_and_si256(shifted, plane));
    };
    out[0] = with_high(low_nibbles(first), _mm256_slli_epi16(high, 4));
    out[1] = with_high(low_nibbles(second), _mm256_slli_epi16(high, 2));
    out[2] = with_high(high_nibbles(first), high);
    out[3] = with_high(high_nibbles(second), _mm256_srli_epi16(high, 2));
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return _mm256_sub_epi32(sum, _mm256_slli_epi32(correction, 5));
  }
  static Factors factors(const PackedBlock& block) {
    return {load_f16(block.scales), _mm256_setzero_ps()};
  }
};

struct Iq4Xs {
  static constexpr int kWords = 34;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;  // 2 * 127 * 127 = 32258
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = false;
  static constexpr Correction kCorrection = Correction::kNone;

  /// Byte k of a lane is group 2k or 2k + 1, signed.
  struct Scales {
    __m256i even_odd[2];
    explicit Scales(const std::byte* words) {
      const __m256i low = word_of_rows(words, 1);
      const __m256i high = _mm256_srli_epi32(word_of_rows(words, 0), 16);
      const __m256i bytes = _mm256_or_si256(high, _mm256_slli_epi32(high, 8));
      const __m256i apart = _mm256_and_si256(bytes, _mm256_set1_epi32(0x00FF00FF));
      // Byte k: two bits of group 2k and two of group 2k + 1 above them.
      const __m256i fours = low_nibbles(_mm256_or_si256(apart, _mm256_slli_epi32(apart, 4)));
      const __m256i top = _mm256_set1_epi8(0x30);
      const __m256i offset = _mm256_set1_epi8(32);
      const __m256i even = _mm256_and_si256(_mm256_slli_epi16(fours, 4), top);
      const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(fours, 2), top);
      even_odd[0] = _mm256_sub_epi8(_mm256_or_si256(low_nibbles(low), even), offset);
      even_odd[1] = _mm256_sub_epi8(_mm256_or_si256(high_nibbles(low), odd), offset);
    }
    __m256i scale(int group) const { return signed_byte_twice(even_odd[group % 2], group / 2); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return 32 * (part / 4) + 16 * stream + 4 * (part % 4) + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int, __m256i* out) {
    const __m256i bytes = word_of_rows(words, 2 + part);
    out[0] = iq4_values(low_nibbles(bytes));
    out[1] = iq4_values(high_nibbles(bytes));
  }
  static Factors factors(const PackedBlock& block) {
    return {halves_of(word_of_rows(block.words, 0)).low, _mm256_setzero_ps()};
  }
};

struct Iq4Ks {
  static constexpr int kWords = 34;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = true;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = false;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  /// The second row of values is the first plus 4: a group that chose it owes 4 * s * sigma.
  struct Scales {
    __m256i scales[2];
    __m256i owing[2];
    explicit Scales(const std::byte* words) {
      const __m256i one = _mm256_set1_epi8(1);
      for (int i = 0; i < 2; ++i) {
        const __m256i bytes = word_of_rows(words, i);
        const __m256i chosen = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, one), one);
        scales[i] = _mm256_sub_epi8(_mm256_andnot_si256(one, bytes), _mm256_set1_epi8(127));
        owing[i] = _mm256_and_si256(scales[i], chosen);
      }
    }
    __m256i scale(int group) const { return signed_byte_twice(scales[group / 4], group % 4); }
    __m256i correction(int pair) const { return signed_byte_pair(owing[pair / 2], pair % 2 * 2); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return Iq4Xs::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    Iq4Xs::codes(words, part, chunk, out);
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return _mm256_add_epi32(sum, _mm256_slli_epi32(correction, 2));
  }
  static Factors factors(const PackedBlock& block) {
    return {_mm256_loadu_ps(reinterpret_cast<const float*>(block.headers)), _mm256_setzero_ps()};
  }
};

/// The 8-bit form (eight_bit_form.hpp).
struct EightBit {
  static constexpr int kWords = 69;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;  // 2 * 127 * 127 = 32258
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kNone;

  struct Scales {
    __m256i bytes[4];
    explicit Scales(const std::byte* words) {
      for (int i = 0; i < 4; ++i) bytes[i] = word_of_rows(words, 1 + i);
    }
    __m256i scale(int group) const { return signed_byte_twice(bytes[group / 4], group % 4); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return 8 * part + 4 * stream + 4 * chunk;
  }
  static void codes(const std::byte* words, int part, int, __m256i* out) {
    out[0] = word_of_rows(words, 5 + 2 * part);
    out[1] = word_of_rows(words, 5 + 2 * part + 1);
  }
  static Factors factors(const PackedBlock& block) {
    return {_mm256_castsi256_ps(word_of_rows(block.words, 0)), _mm256_setzero_ps()};
  }
};

}  // namespace vernal::cpu_avx2

// Weight formats in blocks of 256 with tables of values and a scale for each 16 weights, and a
// five-bit relative with one for each 32: descriptions as formats_256.hpp defines them.
//
// A group may choose the second row of values, which is the first moved up by a constant. The
// kernels multiply with the first row; what a group that chose the second owes, the constant times
// s times the sum of its activations, is added to the sum of the block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/formats_256.hpp"
#include "vernal/block_types/codebooks.hpp"

namespace vernal::cpu_avx2 {

/// Sixteen values in both halves of a vector, for a byte shuffle.
inline __m256i value_table(const std::int8_t* values) {
  return _mm256_broadcastsi128_si256(load_128(values));
}

/// A table of four or eight values, repeated to sixteen.
template <std::size_t kSize>
constexpr std::array<std::int8_t, 16> repeated(const std::array<std::int8_t, kSize>& values) {
  std::array<std::int8_t, 16> out{};
  for (std::size_t i = 0; i < 16; ++i) out[i] = values[i % kSize];
  return out;
}
inline constexpr std::array<std::int8_t, 16> kIq2Table = repeated(kIq2Values);
inline constexpr std::array<std::int8_t, 16> kIq3Table = repeated(kIq3Values);

/// Values of five-bit codes: low four bits in each byte of `low`, the fifth as bit 7 of `fifth`.
inline __m256i iq5_values(__m256i low, __m256i fifth) {
  const __m256i lower = _mm256_shuffle_epi8(value_table(kIq5Values.data()), low);
  const __m256i upper = _mm256_shuffle_epi8(value_table(kIq5Values.data() + 16), low);
  return _mm256_blendv_epi8(lower, upper, fifth);
}

/// Sixteen signed scales and what they owe. Byte k of [i][parity] is group 8i + 2k + parity.
struct ScalesOf16 {
  __m256i scales[2][2];
  __m256i owing[2][2];

  __m256i scale(int group) const {
    return signed_byte_twice(scales[group / 8][group % 2], group % 8 / 2);
  }
  __m256i correction(int pair) const {
    const int k = pair % 4;
    const __m256i even = _mm256_shuffle_epi8(owing[pair / 4][0], lane_bytes(0x80, k, 0x80, 0x80));
    const __m256i odd = _mm256_shuffle_epi8(owing[pair / 4][1], lane_bytes(0x80, 0x80, 0x80, k));
    return _mm256_srai_epi16(_mm256_or_si256(even, odd), 8);
  }

  /// Bytes of 255 where bit 2k + parity of byte `byte` of each lane is set.
  static __m256i bits_set(__m256i lanes, int byte, int parity) {
    const __m256i spread = _mm256_shuffle_epi8(lanes, lane_bytes(byte, byte, byte, byte));
    const __m256i mask =
        _mm256_set1_epi32(parity == 0 ? 0x40100401 : static_cast<std::int32_t>(0x80200802U));
    return _mm256_cmpeq_epi8(_mm256_and_si256(spread, mask), mask);
  }

  /// Fills `owing`; the choices are bytes first_byte and first_byte + 1 of the lanes.
  void choose(__m256i lanes, int first_byte) {
    for (int i = 0; i < 2; ++i) {
      for (int parity = 0; parity < 2; ++parity) {
        const __m256i chosen = bits_set(lanes, first_byte + i, parity);
        owing[i][parity] = _mm256_and_si256(scales[i][parity], chosen);
      }
    }
  }
};

/// Scales of iq4_k and iq5_k: choices in word 0 above D, high two bits in word 1, low four in words
/// 2 and 3.
struct SixBitScalesOf16 : ScalesOf16 {
  explicit SixBitScalesOf16(const std::byte* words) {
    const __m256i high = word_of_rows(words, 1);
    const __m256i even_bytes = _mm256_set1_epi16(0x00FF);
    const __m256i top = _mm256_set1_epi8(0x30);
    const __m256i half = _mm256_set1_epi8(32);
    for (int i = 0; i < 2; ++i) {
      // Byte k: two bits of group 8i + 2k and two of the next group above them.
      const __m256i spread =
          _mm256_shuffle_epi8(high, lane_bytes(2 * i, 2 * i, 2 * i + 1, 2 * i + 1));
      const __m256i pairs = _mm256_or_si256(_mm256_and_si256(even_bytes, low_nibbles(spread)),
                                            _mm256_andnot_si256(even_bytes, high_nibbles(spread)));
      const __m256i low = word_of_rows(words, 2 + i);
      const __m256i even = _mm256_and_si256(_mm256_slli_epi16(pairs, 4), top);
      const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(pairs, 2), top);
      scales[i][0] = _mm256_sub_epi8(_mm256_or_si256(low_nibbles(low), even), half);
      scales[i][1] = _mm256_sub_epi8(_mm256_or_si256(high_nibbles(low), odd), half);
    }
    choose(word_of_rows(words, 0), 2);
  }
};

struct Iq4K {
  static constexpr int kWords = 36;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;  // 2 * 127 * 127 = 32258
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;
  using Scales = SixBitScalesOf16;

  static constexpr int column(int part, int chunk, int stream) {
    return Iq4Xs::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int, __m256i* out) {
    const __m256i bytes = word_of_rows(words, 4 + part);
    out[0] = iq4_values(low_nibbles(bytes));
    out[1] = iq4_values(high_nibbles(bytes));
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return Iq4Ks::correct(sum, correction);
  }
  static Factors factors(const PackedBlock& block) { return Iq4Xs::factors(block); }
};

/// Codes of iq5_k and iq5_ks: low four bits of 64 weights in the halves of 32 bytes, fifth bits of
/// 256 weights in 32 bytes.
struct Iq5Codes {
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;  // 2 * 126 * 127 = 32004
  static constexpr int kStreams = 2;

  static constexpr int column(int part, int chunk, int stream) {
    return 64 * (part / 8) + 32 * stream + 4 * (part % 8) + 4 * chunk;
  }
  ///   low, fifth  words of the packed block
  static void codes(const std::byte* words, int low, int fifth, int part, __m256i* out) {
    const __m256i bytes = word_of_rows(words, low);
    const __m256i bits = word_of_rows(words, fifth);
    const int first = part / 8 * 2;  // bit of the weights in low nibbles
    out[0] = iq5_values(low_nibbles(bytes), _mm256_slli_epi16(bits, 7 - first));
    out[1] = iq5_values(high_nibbles(bytes), _mm256_slli_epi16(bits, 6 - first));
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return _mm256_add_epi32(sum, _mm256_slli_epi32(correction, 1));
  }
};

struct Iq5K : Iq5Codes {
  static constexpr int kWords = 44;
  static constexpr int place(int word) { return iq5_k_place(word); }
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;
  using Scales = SixBitScalesOf16;

  static void codes(const std::byte* words, int part, int, __m256i* out) {
    Iq5Codes::codes(words, place(4 + part), place(36 + part % 8), part, out);
  }
  static Factors factors(const PackedBlock& block) { return Iq4Xs::factors(block); }
};

struct Iq5Ks : Iq5Codes {
  static constexpr int kWords = 42;
  static constexpr int place(int word) { return iq5_ks_place(word); }
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = true;
  static constexpr bool kSigned = true;
  static constexpr bool kScalePer16 = false;
  static constexpr Correction kCorrection = Correction::kIntoSum;
  using Scales = Iq4Ks::Scales;

  static void codes(const std::byte* words, int part, int, __m256i* out) {
    Iq5Codes::codes(words, place(2 + part), place(34 + part % 8), part, out);
  }
  static Factors factors(const PackedBlock& block) { return Iq4Ks::factors(block); }
};

struct Iq3K {
  static constexpr int kWords = 27;
  static constexpr int place(int word) { return iq3_k_place(word); }
  static constexpr bool kScaleLine = true;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 8;
  static constexpr int kChunks = 2;  // 2 * 2 * 63 * 127 = 32004
  static constexpr int kStreams = 4;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  /// Choices and signs in word 0, odd magnitudes in words 1 and 2.
  struct Scales : ScalesOf16 {
    explicit Scales(const std::byte* words) {
      const __m256i bits = word_of_rows(words, 0);
      for (int i = 0; i < 2; ++i) {
        const __m256i stored = word_of_rows(words, 1 + i);
        scales[i][0] = signed_odd(low_nibbles(stored), bits_set(bits, 2 + i, 0));
        scales[i][1] = signed_odd(high_nibbles(stored), bits_set(bits, 2 + i, 1));
      }
      choose(bits, 0);
    }
    /// 2 n + 1, negated where `negative` is 255.
    static __m256i signed_odd(__m256i n, __m256i negative) {
      const __m256i odd = _mm256_add_epi8(_mm256_add_epi8(n, n), _mm256_set1_epi8(1));
      return _mm256_sub_epi8(_mm256_xor_si256(odd, negative), negative);
    }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return Q6K::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const int half = part / 4;
    const int word = 2 * (part % 4) + chunk;
    const __m256i bytes = word_of_rows(words, place(3 + 8 * half + word));
    const __m256i thirds = _mm256_srli_epi16(word_of_rows(words, place(19 + word)), 4 * half);
    const __m256i four = _mm256_set1_epi8(4);
    const __m256i table = value_table(kIq3Table.data());
    for (int s = 0; s < kStreams; ++s) {
      const __m256i shifted =
          s < 2 ? _mm256_slli_epi16(thirds, 2 - s) : _mm256_srli_epi16(thirds, s - 2);
      const __m256i third = _mm256_and_si256(shifted, four);
      out[s] = _mm256_shuffle_epi8(table, _mm256_or_si256(bit_pairs(bytes, s), third));
    }
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return Iq4Ks::correct(sum, correction);
  }
  static Factors factors(const PackedBlock& block) { return Q6K::factors(block); }
};

struct Iq2K {
  static constexpr int kWords = 19;
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 4;
  static constexpr int kChunks = 4;  // 4 * 2 * 31 * 127 = 31496
  static constexpr int kStreams = 4;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  /// Choices in word 0 above D, scales in words 1 and 2.
  struct Scales : ScalesOf16 {
    explicit Scales(const std::byte* words) {
      const __m256i half = _mm256_set1_epi8(8);
      for (int i = 0; i < 2; ++i) {
        const __m256i stored = word_of_rows(words, 1 + i);
        scales[i][0] = _mm256_sub_epi8(low_nibbles(stored), half);
        scales[i][1] = _mm256_sub_epi8(high_nibbles(stored), half);
      }
      choose(word_of_rows(words, 0), 2);
    }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return Q2K::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int chunk, __m256i* out) {
    const __m256i bytes = word_of_rows(words, 3 + 4 * part + chunk);
    const __m256i table = value_table(kIq2Table.data());
    for (int s = 0; s < kStreams; ++s) out[s] = _mm256_shuffle_epi8(table, bit_pairs(bytes, s));
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    const __m256i five = _mm256_add_epi32(_mm256_slli_epi32(correction, 2), correction);
    return _mm256_add_epi32(sum, five);
  }
  static Factors factors(const PackedBlock& block) { return Iq4Xs::factors(block); }
};

struct Iq6K {
  static constexpr int kWords = 53;
  static constexpr int place(int word) { return iq6_k_place(word); }
  static constexpr bool kScaleLine = false;
  static constexpr bool kHeader = false;
  static constexpr bool kSigned = true;
  static constexpr int kParts = 32;
  static constexpr int kChunks = 1;  // 2 * 127 * 127 = 32258
  static constexpr int kStreams = 2;
  static constexpr bool kScalePer16 = true;
  static constexpr Correction kCorrection = Correction::kIntoSum;

  /// Choices in word 0 above D, signed scales in words 1 to 4: byte k of bytes[i] is group 4i + k.
  struct Scales {
    __m256i bytes[4];
    __m256i owing[4];
    explicit Scales(const std::byte* words) {
      const __m256i choices = word_of_rows(words, 0);
      for (int i = 0; i < 4; ++i) {
        const int byte = 2 + i / 2;
        const __m256i spread = _mm256_shuffle_epi8(choices, lane_bytes(byte, byte, byte, byte));
        const __m256i mask =
            _mm256_set1_epi32(i % 2 == 0 ? 0x08040201 : static_cast<std::int32_t>(0x80402010U));
        const __m256i chosen = _mm256_cmpeq_epi8(_mm256_and_si256(spread, mask), mask);
        bytes[i] = word_of_rows(words, 1 + i);
        owing[i] = _mm256_and_si256(bytes[i], chosen);
      }
    }
    __m256i scale(int group) const { return signed_byte_twice(bytes[group / 4], group % 4); }
    __m256i correction(int pair) const { return signed_byte_pair(owing[pair / 2], pair % 2 * 2); }
  };

  static constexpr int column(int part, int chunk, int stream) {
    return Iq5Codes::column(part, chunk, stream);
  }
  static void codes(const std::byte* words, int part, int, __m256i* out) {
    const __m256i bytes = word_of_rows(words, place(5 + part));
    const __m256i bits = word_of_rows(words, place(37 + 8 * (part / 16) + part % 8));
    const int first = part / 8 % 2 * 4;  // bit of the weights in low nibbles
    out[0] = values(low_nibbles(bytes), _mm256_slli_epi16(bits, 7 - first),
                    _mm256_slli_epi16(bits, 6 - first));
    out[1] = values(high_nibbles(bytes), _mm256_slli_epi16(bits, 5 - first),
                    _mm256_slli_epi16(bits, 4 - first));
  }
  /// Values of six-bit codes: low four bits in each byte of `low`, the others as bits 7.
  static __m256i values(__m256i low, __m256i fifth, __m256i sixth) {
    __m256i quarter[4];
    for (int i = 0; i < 4; ++i) {
      quarter[i] = _mm256_shuffle_epi8(value_table(kIq6Values.data() + 16 * i), low);
    }
    return _mm256_blendv_epi8(_mm256_blendv_epi8(quarter[0], quarter[1], fifth),
                              _mm256_blendv_epi8(quarter[2], quarter[3], fifth), sixth);
  }
  static __m256i correct(__m256i sum, __m256i correction) {
    return _mm256_add_epi32(sum, correction);
  }
  static Factors factors(const PackedBlock& block) { return Iq4Xs::factors(block); }
};

}  // namespace vernal::cpu_avx2

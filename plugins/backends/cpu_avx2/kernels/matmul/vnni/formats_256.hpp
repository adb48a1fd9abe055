// Weight formats in blocks of 256, as multiply_256.hpp reads them with VNNI.
//
// The instruction multiplies unsigned codes with signed activations. Codes and values that have a
// sign are moved up by a constant; the block's sum is then too high by the constant times s times
// the sum of the group's activations, which `correction` is for.
//
// A format states, for one block y = D * s * (v - offset) (- M * m):
//   kWords, kHeader                words per block; D in a row header
//   kScaleLine                     D in a line of scales (packed_weights.hpp)
//   kParts, kWordsPerPart          the order of codes: a part is kWordsPerPart words ...
//   kStreams                       ... and each word has codes of so many places of columns
//   kSums                          groups of a part: kStreams, or 1 if all streams are of one group
//   kGroups                        scales of a block: 8 or 16
//   kCorrection                    what the correction words are for
//   column(part, stream)           first of the columns of a part
//   shift(stream)                  raw_codes() are 2^shift times the codes
//   codes<part, c>(words, out)     the codes of word c of the part in every stream, unsigned
//   raw_codes<part, c>(...)        the same, times 2^shift
//   Scales                         scale<g>(): s of group g as int32; correction<p>(): two int16 for
//                                  groups 2p and 2p + 1, to be multiplied with the sums of these
//   factors(...)                   D and M
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/words.hpp"
#include "kernels/matmul/word_places.hpp"
#include "vernal/block_types/codebooks.hpp"

namespace vernal::cpu_avx2::vnni {

/// Use of the correction words c of a format, sigma = sums of activation codes per group.
enum class Correction : std::uint8_t {
  kFromSum,  ///< sum(c * sigma) is subtracted from the block's integer sum
  kMinimum,  ///< sum(c * sigma) is multiplied by -M
};

/// Where the parts of a block lie.
template <class V>
struct Block {
  Words<V> words;
  Words<V> scales;   // f16 of each row, if the format keeps D apart
  Words<V> headers;  // f32 of each row, if the format has a scale per row
};

template <class V>
struct Factors {
  typename V::Floats scale;
  typename V::Floats minimum;
};

/// Byte k of each lane as int32.
template <class V, int k>
typename V::Ints unsigned_byte(typename V::Ints bytes) {
  return V::template pick_bytes<k, 0x80, 0x80, 0x80>(bytes);
}
template <class V, int k>
typename V::Ints signed_byte(typename V::Ints bytes) {
  return V::template right32_signed<24>(V::template pick_bytes<0x80, 0x80, 0x80, k>(bytes));
}
/// Bytes k and k + 1 of each lane as two int16; the signed ones times 2^bits.
template <class V, int k>
typename V::Ints unsigned_pair(typename V::Ints bytes) {
  return V::template pick_bytes<k, 0x80, k + 1, 0x80>(bytes);
}
template <class V, int k, int kBits>
typename V::Ints signed_pair(typename V::Ints bytes) {
  return V::template right16_signed<8 - kBits>(V::template pick_bytes<0x80, k, 0x80, k + 1>(bytes));
}

template <class V>
typename V::Ints low_nibbles(typename V::Ints bytes) {
  return V::bit_and(bytes, V::bytes(15));
}
template <class V>
typename V::Ints high_nibbles(typename V::Ints bytes) {
  return low_nibbles<V>(V::template right16<4>(bytes));
}

/// Six-bit scales and minimums of q4_K and q5_K, words 1 to 3. Byte k of a lane is group k, in the
/// second vector group 4 + k.
template <class V>
struct SixBitScales {
  typename V::Ints scales[2];
  typename V::Ints minimums[2];

  explicit SixBitScales(const Words<V>& words) {
    const auto a = words[1];
    const auto b = words[2];
    const auto c = words[3];
    const auto six = V::bytes(63);
    const auto top = V::bytes(0x30);
    scales[0] = V::bit_and(a, six);
    minimums[0] = V::bit_and(b, six);
    scales[1] = V::or_masked(low_nibbles<V>(c), V::template right16<2>(a), top);
    minimums[1] = V::or_masked(high_nibbles<V>(c), V::template right16<2>(b), top);
  }
  template <int kGroup>
  typename V::Ints scale() const {
    return unsigned_byte<V, kGroup % 4>(scales[kGroup / 4]);
  }
  template <int kPair>
  typename V::Ints correction() const {
    return unsigned_pair<V, kPair % 2 * 2>(minimums[kPair / 2]);
  }
};

/// Sixteen signed scales in four words from kFirst on, for codes that are 2^kOffsetBits too high.
template <class V, int kFirst, int kOffsetBits>
struct ScalesOf16 {
  typename V::Ints bytes[4];

  explicit ScalesOf16(const Words<V>& words) {
    for (int i = 0; i < 4; ++i) bytes[i] = words[kFirst + i];
  }
  template <int kGroup>
  typename V::Ints scale() const {
    return signed_byte<V, kGroup % 4>(bytes[kGroup / 4]);
  }
  template <int kPair>
  typename V::Ints correction() const {
    return signed_pair<V, kPair % 2 * 2, kOffsetBits>(bytes[kPair / 2]);
  }
};

template <class V>
struct Q2K {
  static constexpr int kWords = 21;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = false;
  static constexpr int kParts = 4;
  static constexpr int kWordsPerPart = 4;
  static constexpr int kStreams = 4;
  static constexpr int kSums = 4;
  static constexpr int kGroups = 16;
  static constexpr Correction kCorrection = Correction::kMinimum;
  using Ints = typename V::Ints;

  /// Byte k of lane word i is group 4i + k: the scale in its low half, the minimum in the high one.
  struct Scales {
    Ints bytes[4];
    explicit Scales(const Words<V>& words) {
      for (int i = 0; i < 4; ++i) bytes[i] = words[i];
    }
    template <int kGroup>
    Ints scale() const {
      return unsigned_byte<V, kGroup % 4>(low_nibbles<V>(bytes[kGroup / 4]));
    }
    template <int kPair>
    Ints correction() const {
      return unsigned_pair<V, kPair % 2 * 2>(high_nibbles<V>(bytes[kPair / 2]));
    }
  };

  static constexpr int column(int part, int stream) {
    return 128 * (part / 2) + 32 * stream + 16 * (part % 2);
  }
  static constexpr int shift(int stream) { return 2 * stream; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[4 + 4 * kPart + kWord];
    const Ints pair = V::bytes(3);
    out[0] = V::bit_and(bytes, pair);
    out[1] = V::bit_and(V::template right16<2>(bytes), pair);
    out[2] = V::bit_and(V::template right16<4>(bytes), pair);
    out[3] = V::bit_and(V::template right16<6>(bytes), pair);
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[4 + 4 * kPart + kWord];
    for (int s = 0; s < kStreams; ++s) out[s] = V::bit_and(bytes, V::bytes(3 << 2 * s));
  }
  static Factors<V> factors(const Block<V>& block) {
    const Ints word = block.words[20];
    return {V::low_half(word), V::high_half(word)};
  }
};

template <class V>
struct Q4K {
  static constexpr int kWords = 36;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = false;
  static constexpr int kParts = 4;
  static constexpr int kWordsPerPart = 8;
  static constexpr int kStreams = 2;
  static constexpr int kSums = 2;
  static constexpr int kGroups = 8;
  static constexpr Correction kCorrection = Correction::kMinimum;
  using Ints = typename V::Ints;
  using Scales = SixBitScales<V>;

  static constexpr int column(int part, int stream) { return 64 * part + 32 * stream; }
  static constexpr int shift(int stream) { return 4 * stream; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[4 + 8 * kPart + kWord];
    out[0] = low_nibbles<V>(bytes);
    out[1] = high_nibbles<V>(bytes);
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[4 + 8 * kPart + kWord];
    out[0] = low_nibbles<V>(bytes);
    out[1] = V::bit_and(bytes, V::bytes(0xF0));
  }
  static Factors<V> factors(const Block<V>& block) {
    const Ints word = block.words[0];
    return {V::low_half(word), V::high_half(word)};
  }
};

/// Bit kFrom of each byte at bit kTo; the others are to be masked.
template <class V, int kFrom, int kTo>
typename V::Ints move_bit(typename V::Ints bytes) {
  if constexpr (kFrom < kTo) {
    return V::template left16<kTo - kFrom>(bytes);
  } else if constexpr (kFrom > kTo) {
    return V::template right16<kFrom - kTo>(bytes);
  } else {
    return bytes;
  }
}

template <class V>
struct Q5K {
  static constexpr int kWords = 44;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = false;
  static constexpr int kParts = 4;
  static constexpr int kWordsPerPart = 8;
  static constexpr int kStreams = 2;
  static constexpr int kSums = 2;
  static constexpr int kGroups = 8;
  static constexpr Correction kCorrection = Correction::kMinimum;
  using Ints = typename V::Ints;
  using Scales = SixBitScales<V>;

  static constexpr int column(int part, int stream) { return 64 * part + 32 * stream; }
  static constexpr int shift(int) { return 0; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[12 + 8 * kPart + kWord];
    const Ints bits = words[4 + kWord];
    const Ints fifth = V::bytes(16);
    out[0] = V::or_masked(low_nibbles<V>(bytes), move_bit<V, 2 * kPart, 4>(bits), fifth);
    out[1] = V::or_masked(high_nibbles<V>(bytes), move_bit<V, 2 * kPart + 1, 4>(bits), fifth);
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    codes<kPart, kWord>(words, out);
  }
  static Factors<V> factors(const Block<V>& block) { return Q4K<V>::factors(block); }
};

template <class V>
struct Q6K {
  static constexpr int kWords = 52;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = true;
  static constexpr int kParts = 4;
  static constexpr int kWordsPerPart = 4;
  static constexpr int kStreams = 4;
  static constexpr int kSums = 4;
  static constexpr int kGroups = 16;
  static constexpr Correction kCorrection = Correction::kFromSum;
  using Ints = typename V::Ints;
  using Scales = ScalesOf16<V, q6_k_place(48), 5>;  // codes are 32 too high

  static constexpr int column(int part, int stream) {
    return 128 * (part / 2) + 32 * stream + 16 * (part % 2);
  }
  static constexpr int shift(int) { return 0; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    constexpr int kHalf = kPart / 2;
    constexpr int kAt = 4 * (kPart % 2) + kWord;
    constexpr int kFirst = q6_k_place(16 * kHalf + kAt);
    constexpr int kSecond = q6_k_place(16 * kHalf + 8 + kAt);
    constexpr int kHigh = q6_k_place(32 + 8 * kHalf + kAt);
    const Ints first = words[kFirst];
    const Ints second = words[kSecond];
    const Ints high = words[kHigh];
    const Ints plane = V::bytes(0x30);
    out[0] = V::or_masked(low_nibbles<V>(first), V::template left16<4>(high), plane);
    out[1] = V::or_masked(low_nibbles<V>(second), V::template left16<2>(high), plane);
    out[2] = V::or_masked(high_nibbles<V>(first), high, plane);
    out[3] = V::or_masked(high_nibbles<V>(second), V::template right16<2>(high), plane);
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    codes<kPart, kWord>(words, out);
  }
  static Factors<V> factors(const Block<V>& block) {
    return {V::load_halves(block.scales.data, block.scales.stride), V::float_zero()};
  }
};

/// The 8-bit form (eight_bit_form.hpp).
template <class V>
struct EightBit {
  static constexpr int kWords = 69;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = false;
  static constexpr int kParts = 16;
  static constexpr int kWordsPerPart = 4;
  static constexpr int kStreams = 1;
  static constexpr int kSums = 1;
  static constexpr int kGroups = 16;
  static constexpr Correction kCorrection = Correction::kFromSum;
  using Ints = typename V::Ints;
  using Scales = ScalesOf16<V, 1, 7>;  // codes are 128 too high

  static constexpr int column(int part, int) { return 16 * part; }
  static constexpr int shift(int) { return 0; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    out[0] = V::bit_xor(words[5 + 4 * kPart + kWord], V::bytes(0x80));
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    codes<kPart, kWord>(words, out);
  }
  static Factors<V> factors(const Block<V>& block) {
    return {V::as_floats(block.words[0]), V::float_zero()};
  }
};

}  // namespace vernal::cpu_avx2::vnni

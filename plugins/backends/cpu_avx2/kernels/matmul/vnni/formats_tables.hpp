// Weight formats with tables of values, as multiply_256.hpp reads them with VNNI: descriptions as
// formats_256.hpp defines them. Values are moved up by 128, so that they are unsigned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/formats_256.hpp"

namespace vernal::cpu_avx2::vnni {

/// What the values of a table are too high by.
inline constexpr int kValueOffset = 128;

inline constexpr std::uint8_t kIq4Values[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                                129, 141, 153, 166, 181, 197, 217, 241};

/// Four-bit codes of 32 weights in the halves of sixteen bytes, from word kFirst on.
template <class V, int kFirst>
struct Iq4Codes {
  static constexpr int kParts = 8;
  static constexpr int kWordsPerPart = 4;
  static constexpr int kStreams = 2;
  static constexpr Correction kCorrection = Correction::kFromSum;
  using Ints = typename V::Ints;

  static constexpr int column(int part, int stream) { return 32 * part + 16 * stream; }
  static constexpr int shift(int) { return 0; }
  template <int kPart, int kWord>
  static void codes(const Words<V>& words, Ints* out) {
    const Ints bytes = words[kFirst + 4 * kPart + kWord];
    const Ints table = V::table(kIq4Values);
    out[0] = V::lookup_low_nibbles(table, bytes);
    out[1] = V::lookup_high_nibbles(table, bytes);
  }
  template <int kPart, int kWord>
  static void raw_codes(const Words<V>& words, Ints* out) {
    codes<kPart, kWord>(words, out);
  }
};

template <class V>
struct Iq4Xs : Iq4Codes<V, 2> {
  static constexpr int kWords = 34;
  static constexpr bool kHeader = false;
  static constexpr bool kScaleLine = false;
  static constexpr int kSums = 1;
  static constexpr int kGroups = 8;
  using Ints = typename V::Ints;

  /// Byte k of a vector is group 2k or 2k + 1, signed.
  struct Scales {
    Ints even;
    Ints odd;
    explicit Scales(const Words<V>& words) {
      const Ints low = words[1];
      // Byte k: two bits of group 2k and two of group 2k + 1 above them.
      const Ints spread = V::template pick_bytes<2, 2, 3, 3>(words[0]);
      const Ints even_bytes = V::dwords(0x00FF00FF);
      const Ints fours = V::bit_or(V::bit_and(low_nibbles<V>(spread), even_bytes),
                                   V::bit_and_not(even_bytes, high_nibbles<V>(spread)));
      const Ints top = V::bytes(0x30);
      const Ints half = V::bytes(32);
      const Ints six = V::or_masked(low_nibbles<V>(low), V::template left16<4>(fours), top);
      const Ints next = V::or_masked(high_nibbles<V>(low), V::template left16<2>(fours), top);
      even = V::subtract_bytes(six, half);
      odd = V::subtract_bytes(next, half);
    }
    template <int kGroup>
    Ints scale() const {
      return signed_byte<V, kGroup / 2>(kGroup % 2 == 0 ? even : odd);
    }
    template <int kPair>
    Ints correction() const {
      const Ints first = V::template pick_bytes<0x80, kPair, 0x80, 0x80>(even);
      const Ints second = V::template pick_bytes<0x80, 0x80, 0x80, kPair>(odd);
      return V::template right16_signed<1>(V::bit_or(first, second));
    }
  };

  static Factors<V> factors(const Block<V>& block) {
    return {V::low_half(block.words[0]), V::float_zero()};
  }
};

template <class V>
struct Iq4Ks : Iq4Codes<V, 2> {
  static constexpr int kWords = 34;
  static constexpr bool kHeader = true;
  static constexpr bool kScaleLine = false;
  static constexpr int kSums = 1;
  static constexpr int kGroups = 8;
  using Ints = typename V::Ints;

  /// The second row of values is the first plus 4: a group that chose it is too high by 124 only.
  struct Scales {
    Ints scales[2];
    Ints owing[2];
    explicit Scales(const Words<V>& words) {
      const Ints one = V::bytes(1);
      for (int i = 0; i < 2; ++i) {
        const Ints bytes = words[i];
        scales[i] = V::subtract_bytes(V::bit_and_not(one, bytes), V::bytes(127));
        owing[i] = V::bit_and(scales[i], V::has_bits(bytes, one));
      }
    }
    template <int kGroup>
    Ints scale() const {
      return signed_byte<V, kGroup % 4>(scales[kGroup / 4]);
    }
    template <int kPair>
    Ints correction() const {
      constexpr int kByte = kPair % 2 * 2;
      return V::subtract_words(signed_pair<V, kByte, 7>(scales[kPair / 2]),
                               signed_pair<V, kByte, 2>(owing[kPair / 2]));
    }
  };

  static Factors<V> factors(const Block<V>& block) {
    return {V::as_floats(block.headers[0]), V::float_zero()};
  }
};

}  // namespace vernal::cpu_avx2::vnni

// Weight formats in blocks of 32, as multiply_32.hpp reads them with VNNI.
//
// A format states, for one block y = D * (code - kOffset) (+ m):
//   kWords            words per block
//   kMinimum          the block has an m: word 0 is D and m. Else D is an f16 in a line of scales
//   kOffset           what the unsigned codes are too high by
//   codes(words, out) the eight words of codes in column order
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/formats_256.hpp"
#include "kernels/matmul/vnni/formats_tables.hpp"

namespace vernal::cpu_avx2::vnni {

/// Words kFirst .. kFirst + 3: their low nibbles are columns 0..15, the high ones 16..31.
template <class V, int kFirst>
void nibble_codes(const Words<V>& words, typename V::Ints* out) {
  for (int c = 0; c < 4; ++c) {
    const auto bytes = words[kFirst + c];
    out[c] = low_nibbles<V>(bytes);
    out[4 + c] = high_nibbles<V>(bytes);
  }
}

/// Adds 16 to the codes whose bit is set in word kWord: bit w belongs to column w.
template <class V, int kWord>
void add_fifth_bits(const Words<V>& words, typename V::Ints* out) {
  const auto bits = words[kWord];
  const auto low = V::dwords(0x08040201);
  const auto high = V::dwords(static_cast<std::int32_t>(0x80402010U));
  unrolled<8>([&](auto chunk) VERNAL_INLINE {
    constexpr int kChunk = decltype(chunk)::kValue;
    const auto byte = V::template pick_bytes<kChunk / 2, kChunk / 2, kChunk / 2, kChunk / 2>(bits);
    const auto is_set = V::has_bits(byte, kChunk % 2 == 0 ? low : high);
    out[kChunk] = V::or_masked(out[kChunk], is_set, V::bytes(16));
  });
}

template <class V>
struct Q4_0 {
  static constexpr int kWords = 4;
  static constexpr bool kMinimum = false;
  static constexpr int kOffset = 8;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    nibble_codes<V, 0>(words, out);
  }
};

template <class V>
struct Q4_1 {
  static constexpr int kWords = 5;
  static constexpr bool kMinimum = true;
  static constexpr int kOffset = 0;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    nibble_codes<V, 1>(words, out);
  }
};

template <class V>
struct Q5_0 {
  static constexpr int kWords = 5;
  static constexpr bool kMinimum = false;
  static constexpr int kOffset = 16;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    nibble_codes<V, 1>(words, out);
    add_fifth_bits<V, 0>(words, out);
  }
};

template <class V>
struct Q5_1 {
  static constexpr int kWords = 6;
  static constexpr bool kMinimum = true;
  static constexpr int kOffset = 0;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    nibble_codes<V, 2>(words, out);
    add_fifth_bits<V, 1>(words, out);
  }
};

template <class V>
struct Q8_0 {
  static constexpr int kWords = 8;
  static constexpr bool kMinimum = false;
  static constexpr int kOffset = 128;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    for (int c = 0; c < 8; ++c) out[c] = V::bit_xor(words[c], V::bytes(0x80));
  }
};

template <class V>
struct Iq4Nl {
  static constexpr int kWords = 4;
  static constexpr bool kMinimum = false;
  static constexpr int kOffset = kValueOffset;
  static void codes(const Words<V>& words, typename V::Ints* out) {
    const auto table = V::table(kIq4Values);
    for (int c = 0; c < 4; ++c) {
      const auto bytes = words[c];
      out[c] = V::lookup_low_nibbles(table, bytes);
      out[4 + c] = V::lookup_high_nibbles(table, bytes);
    }
  }
};

}  // namespace vernal::cpu_avx2::vnni

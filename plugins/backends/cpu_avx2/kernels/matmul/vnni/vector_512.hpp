// The vectors of the kernels for AVX-512 with VNNI: sixteen rows, two neighbouring groups.
//
// vector_256.hpp has the same names. Kernels and formats of this folder are templates over the
// struct, so each instruction set has functions of its own, and none of them can take the place of
// one that was compiled for less.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/vector_256.hpp"

namespace vernal::cpu_avx2 {

/// Multiplication in 256 bits in the encoding of AVX-512, which can broadcast from memory.
struct Avx512VnniProducts {
  using Dword = std::int32_t __attribute__((may_alias, aligned(1)));

  static __m256i dot_bytes(__m256i sum, __m256i codes, const std::int8_t* p) {
    __asm__("vpdpbusd %2%{1to8%}, %1, %0"
            : "+v"(sum)
            : "v"(codes), "m"(*reinterpret_cast<const Dword*>(p)));
    return sum;
  }
  static __m256i dot_pairs(__m256i sum, __m256i pairs, const std::int16_t* p) {
    __asm__("vpdpwssd %2%{1to8%}, %1, %0"
            : "+v"(sum)
            : "v"(pairs), "m"(*reinterpret_cast<const Dword*>(p)));
    return sum;
  }
  static __m256i broadcast(const void* p) {
    return _mm256_set1_epi32(*static_cast<const Dword*>(p));
  }
};

struct Avx512Vnni {
  /// For few tokens, where the speed is that of memory: one group is one run of bytes, which the
  /// processor sees coming better than two.
  using Narrow = Vector256<Avx512VnniProducts>;
  using Ints = __m512i;
  using Floats = __m512;
  using Dword = std::int32_t __attribute__((may_alias, aligned(1)));

  static constexpr std::int64_t kRows = 16;
  /// Tokens for which a tile of weights is read once: their sums and those of a group of columns
  /// are 24 of 32 registers.
  static constexpr int kTileTokens = 12;
  /// Tokens for which Narrow is used, and codes straight from the words, without a tile. From memory, two
  /// threads, Zen 4, two groups and one: four tokens of q4_K 18 and 21 GB/s, five 12 and 18, six 11
  /// and 15, eight 10 and 15.
  static constexpr int kFewTokens = 6;
  /// How far ahead of its use the weights of a group are asked for. Measured as the greatest speed from
  /// memory, one thread, q4_K, 8960 columns: 2 KiB 33 to 39 GB/s, 3 KiB 38 to 41, 6 KiB 35 to 37.
  static constexpr std::int64_t kPrefetchBytes = 3072;

  // ---- memory. `stride`: from what belongs to the first group to the same of the second ---------

  static Ints load(const void* p) { return _mm512_loadu_si512(p); }
  /// A word of each row.
  static Ints load_words(const std::byte* p, std::int64_t stride) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + stride));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  /// An f16 of each row.
  static Floats load_halves(const std::byte* p, std::int64_t stride) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + stride));
    return _mm512_cvtph_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));
  }
  /// The first `count` rows of floats at p.
  static Floats load_floats(const float* p, std::int64_t count) {
    return _mm512_maskz_loadu_ps(first_lanes(count), p);
  }
  static void store_floats(float* p, std::int64_t count, Floats v) {
    _mm512_mask_storeu_ps(p, first_lanes(count), v);
  }
  static __mmask16 first_lanes(std::int64_t count) {
    return static_cast<__mmask16>(0xFFFFU >> (kRows - count));
  }

  // ---- integers ----------------------------------------------------------------------------------

  static Ints zero() { return _mm512_setzero_si512(); }
  static Ints bytes(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  static Ints dwords(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Ints bit_and(Ints a, Ints b) { return _mm512_and_si512(a, b); }
  static Ints bit_or(Ints a, Ints b) { return _mm512_or_si512(a, b); }
  /// b & ~a
  static Ints bit_and_not(Ints a, Ints b) { return _mm512_andnot_si512(a, b); }
  static Ints bit_xor(Ints a, Ints b) { return _mm512_xor_si512(a, b); }
  /// a | (b & mask)
  static Ints or_masked(Ints a, Ints b, Ints mask) {
    constexpr int kOrOfAnd = 0xF8;
    return _mm512_ternarylogic_epi64(a, b, mask, kOrOfAnd);
  }
  static Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static Ints subtract(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
  static Ints subtract_words(Ints a, Ints b) { return _mm512_sub_epi16(a, b); }
  static Ints subtract_bytes(Ints a, Ints b) { return _mm512_sub_epi8(a, b); }
  static Ints multiply(Ints a, Ints b) { return _mm512_mullo_epi32(a, b); }
  /// By the dword at p, in every lane.
  static Ints multiply_by(Ints a, const std::int16_t* p) {
    return _mm512_mullo_epi32(a, _mm512_set1_epi32(*reinterpret_cast<const Dword*>(p)));
  }
  template <int kBits>
  static Ints left16(Ints a) {
    return _mm512_slli_epi16(a, kBits);
  }
  template <int kBits>
  static Ints right16(Ints a) {
    return _mm512_srli_epi16(a, kBits);
  }
  template <int kBits>
  static Ints right16_signed(Ints a) {
    return _mm512_srai_epi16(a, kBits);
  }
  template <int kBits>
  static Ints left32(Ints a) {
    return _mm512_slli_epi32(a, kBits);
  }
  template <int kBits>
  static Ints right32(Ints a) {
    return _mm512_srli_epi32(a, kBits);
  }
  template <int kBits>
  static Ints right32_signed(Ints a) {
    return _mm512_srai_epi32(a, kBits);
  }
  /// sum + the products of four unsigned bytes of each lane with the four signed bytes at p. The
  /// instruction broadcasts from memory; compilers load into a register first, so it is spelled out.
  static Ints dot_bytes(Ints sum, Ints codes, const std::int8_t* p) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"
            : "+v"(sum)
            : "v"(codes), "m"(*reinterpret_cast<const Dword*>(p)));
    return sum;
  }
  /// sum + the products of two int16 of each lane with the two int16 at p.
  static Ints dot_pairs(Ints sum, Ints pairs, const std::int16_t* p) {
    __asm__("vpdpwssd %2%{1to16%}, %1, %0"
            : "+v"(sum)
            : "v"(pairs), "m"(*reinterpret_cast<const Dword*>(p)));
    return sum;
  }
  /// Bytes a, b, c, d of each lane; 0x80 gives zero.
  template <int kA, int kB, int kC, int kD>
  static Ints pick_bytes(Ints v) {
    return _mm512_shuffle_epi8(v, _mm512_broadcast_i32x4(_mm_setr_epi32(
                                      selector<kA, kB, kC, kD>(0), selector<kA, kB, kC, kD>(4),
                                      selector<kA, kB, kC, kD>(8), selector<kA, kB, kC, kD>(12))));
  }
  /// Bytes of 255 where a byte has a bit of `bits`.
  static Ints has_bits(Ints v, Ints bits) {
    return _mm512_movm_epi8(_mm512_test_epi8_mask(v, bits));
  }

  // ---- tables of sixteen bytes -------------------------------------------------------------------

  /// Four times over: the index is six bits wide, so what stands above a nibble does no harm.
  static Ints table(const std::uint8_t* values) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  }
  static Ints lookup_low_nibbles(Ints table, Ints v) { return _mm512_permutexvar_epi8(v, table); }
  static Ints lookup_high_nibbles(Ints table, Ints v) {
    return _mm512_permutexvar_epi8(right16<4>(v), table);
  }

  // ---- floats ------------------------------------------------------------------------------------

  static Floats float_zero() { return _mm512_setzero_ps(); }
  static Floats floats(float value) { return _mm512_set1_ps(value); }
  static Floats as_floats(Ints v) { return _mm512_castsi512_ps(v); }
  static Floats to_floats(Ints v) { return _mm512_cvtepi32_ps(v); }
  static Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats subtract_product(Floats c, Floats a, Floats b) { return _mm512_fnmadd_ps(a, b, c); }
  /// The f16 in the low or high half of each lane.
  static Floats low_half(Ints v) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v)); }
  static Floats high_half(Ints v) { return low_half(right32<16>(v)); }

 private:
  template <int kA, int kB, int kC, int kD>
  static constexpr std::int32_t selector(int first) {
    const auto byte = [&](int k) { return static_cast<std::uint32_t>(k == 0x80 ? k : k + first); };
    return static_cast<std::int32_t>(byte(kA) | byte(kB) << 8 | byte(kC) << 16 | byte(kD) << 24);
  }
};

}  // namespace vernal::cpu_avx2

// Vectors of 256 bits, one group of eight rows: those of the kernels for AVX-VNNI, and of the kernels
// for AVX-512 where a wider vector is no gain. What each function does is said in vector_512.hpp.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace vernal::cpu_avx2 {

/// Multiplication in the encoding of AVX-VNNI.
struct AvxVnniProducts {
  using Dword = std::int32_t __attribute__((may_alias, aligned(1)));

  static __m256i dot_bytes(__m256i sum, __m256i codes, const std::int8_t* p) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(codes), "x"(broadcast(p)));
    return sum;
  }
  static __m256i dot_pairs(__m256i sum, __m256i pairs, const std::int16_t* p) {
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(pairs), "x"(broadcast(p)));
    return sum;
  }
  static __m256i broadcast(const void* p) {
    return _mm256_set1_epi32(*static_cast<const Dword*>(p));
  }
};

template <class Products>
struct Vector256 : Products {
  using Narrow = Vector256;
  using Ints = __m256i;
  using Floats = __m256;
  static constexpr std::int64_t kRows = 8;
  static constexpr int kTileTokens = 6;  // 12 of 16 registers
  static constexpr int kFewTokens = 2;
  static constexpr std::int64_t kPrefetchBytes = 6144;  // q4_K: 3 KiB 34 GB/s, 6 KiB 39

  // ---- memory. There is one group, so `stride` is not used ---------------------------------------

  static Ints load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Ints load_words(const std::byte* p, std::int64_t) { return in_register(load(p)); }
  static Floats load_halves(const std::byte* p, std::int64_t) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Floats load_floats(const float* p, std::int64_t count) {
    return _mm256_maskload_ps(p, first_lanes(count));
  }
  static void store_floats(float* p, std::int64_t count, Floats v) {
    _mm256_maskstore_ps(p, first_lanes(count), v);
  }
  static Ints first_lanes(std::int64_t count) {
    const Ints index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<std::int32_t>(count)), index);
  }

  // ---- integers ----------------------------------------------------------------------------------

  static Ints zero() { return _mm256_setzero_si256(); }
  static Ints bytes(int value) { return _mm256_set1_epi8(static_cast<char>(value)); }
  static Ints dwords(std::int32_t value) { return _mm256_set1_epi32(value); }
  static Ints bit_and(Ints a, Ints b) { return _mm256_and_si256(a, b); }
  static Ints bit_or(Ints a, Ints b) { return _mm256_or_si256(a, b); }
  static Ints bit_and_not(Ints a, Ints b) { return _mm256_andnot_si256(a, b); }
  static Ints bit_xor(Ints a, Ints b) { return _mm256_xor_si256(a, b); }
  static Ints or_masked(Ints a, Ints b, Ints mask) { return bit_or(a, bit_and(b, mask)); }
  static Ints add(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  static Ints subtract(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
  static Ints subtract_words(Ints a, Ints b) { return _mm256_sub_epi16(a, b); }
  static Ints subtract_bytes(Ints a, Ints b) { return _mm256_sub_epi8(a, b); }
  static Ints multiply(Ints a, Ints b) { return _mm256_mullo_epi32(a, b); }
  static Ints multiply_by(Ints a, const std::int16_t* p) {
    return _mm256_mullo_epi32(a, Products::broadcast(p));
  }
  template <int kBits>
  static Ints left16(Ints a) {
    return _mm256_slli_epi16(a, kBits);
  }
  template <int kBits>
  static Ints right16(Ints a) {
    return _mm256_srli_epi16(a, kBits);
  }
  template <int kBits>
  static Ints right16_signed(Ints a) {
    return _mm256_srai_epi16(a, kBits);
  }
  template <int kBits>
  static Ints left32(Ints a) {
    return _mm256_slli_epi32(a, kBits);
  }
  template <int kBits>
  static Ints right32(Ints a) {
    return _mm256_srli_epi32(a, kBits);
  }
  template <int kBits>
  static Ints right32_signed(Ints a) {
    return _mm256_srai_epi32(a, kBits);
  }
  template <int kA, int kB, int kC, int kD>
  static Ints pick_bytes(Ints v) {
    return _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(_mm_setr_epi32(
                                      selector<kA, kB, kC, kD>(0), selector<kA, kB, kC, kD>(4),
                                      selector<kA, kB, kC, kD>(8), selector<kA, kB, kC, kD>(12))));
  }
  static Ints has_bits(Ints v, Ints bits) {
    return _mm256_cmpeq_epi8(_mm256_and_si256(v, bits), bits);
  }

  // ---- tables of sixteen bytes -------------------------------------------------------------------

  static Ints table(const std::uint8_t* values) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  }
  static Ints lookup_low_nibbles(Ints table, Ints v) {
    return _mm256_shuffle_epi8(table, bit_and(v, bytes(15)));
  }
  static Ints lookup_high_nibbles(Ints table, Ints v) {
    return lookup_low_nibbles(table, right16<4>(v));
  }

  // ---- floats ------------------------------------------------------------------------------------

  static Floats float_zero() { return _mm256_setzero_ps(); }
  static Floats floats(float value) { return _mm256_set1_ps(value); }
  static Floats as_floats(Ints v) { return _mm256_castsi256_ps(v); }
  static Floats to_floats(Ints v) { return _mm256_cvtepi32_ps(v); }
  static Floats multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
  static Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static Floats subtract_product(Floats c, Floats a, Floats b) { return _mm256_fnmadd_ps(a, b, c); }
  static Floats low_half(Ints v) { return high_half(left32<16>(v)); }
  static Floats high_half(Ints v) {
    const Ints halves = right32<16>(v);
    const Ints sorted = _mm256_permute4x64_epi64(_mm256_packus_epi32(halves, halves), 0x08);
    return _mm256_cvtph_ps(_mm256_castsi256_si128(sorted));
  }

 private:
  /// As in packed_codes.hpp: keeps g++ from loading a word again for each use.
  static Ints in_register(Ints v) {
    __asm__("" : "+x"(v));
    return v;
  }
  template <int kA, int kB, int kC, int kD>
  static constexpr std::int32_t selector(int first) {
    const auto byte = [&](int k) { return static_cast<std::uint32_t>(k == 0x80 ? k : k + first); };
    return static_cast<std::int32_t>(byte(kA) | byte(kB) << 8 | byte(kC) << 16 | byte(kD) << 24);
  }
};

using AvxVnni = Vector256<AvxVnniProducts>;

}  // namespace vernal::cpu_avx2

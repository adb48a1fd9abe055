// What the page kernels for AVX-512 with VNNI are written in. For their source alone: all of it is
// in an unnamed namespace, so that no other source can be given a copy that was compiled for this
// instruction set.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/attention/kv_page.hpp"
#include "kernels/prefetch.hpp"

namespace vernal::cpu_avx2 {
namespace {  // NOLINT(google-build-namespaces)
namespace avx512 {

using Ints = __m512i;
using Floats = __m512;

constexpr std::int64_t kLanes512 = 16;

template <int kNumber>
struct Count {};

constexpr std::int64_t kLine = 64;

/// Asks for `bytes` at `offset` of a run that will be needed next; null: there is none. kInto is as
/// prefetch() of kv_pass.hpp has it.
template <Into kInto>
[[gnu::always_inline]] inline void ask_for(const std::byte* run, std::int64_t offset,
                                           std::int64_t bytes) {
  if (run == nullptr) return;
  for (std::int64_t line = 0; line < bytes; line += kLine) {
    prefetch_line<kInto>(address_of(run) + offset + line);
  }
}

inline __m256i load_256(const std::byte* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

/// The two int16 at p in every lane.
inline Ints broadcast(const std::int16_t* p) {
  using Dword = std::int32_t __attribute__((may_alias, aligned(1)));
  return _mm512_set1_epi32(*reinterpret_cast<const Dword*>(p));
}

/// sum + the two products of each lane. Spelled out: of the intrinsic function g++ 12 makes copies of
/// each sum, to registers and to the stack.
inline Ints dot_pairs(Ints sum, Ints a, Ints b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

inline __mmask16 first_lanes(std::int64_t count) {
  if (count <= 0) return 0;
  return count >= kLanes512 ? 0xFFFF : static_cast<__mmask16>((1U << count) - 1U);
}

/// Sixteen f16 as f32.
inline Floats load_halves(const std::byte* p) { return _mm512_cvtph_ps(load_256(p)); }
inline Floats load_halves(const std::byte* p, __mmask16 mask) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, p));
}

inline float greatest_lane(Floats v) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/// In the order of sum_lanes().
inline float sum_of_eight(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// exp_ps() of vector_math.hpp, operation by operation.
inline Floats exponential(Floats x) {
  const Floats lowest = _mm512_set1_ps(-87.33654F);
  const Floats highest = _mm512_set1_ps(88.72284F);
  const Floats bounded = _mm512_min_ps(highest, _mm512_max_ps(lowest, x));
  const Floats n = _mm512_roundscale_ps(_mm512_mul_ps(bounded, _mm512_set1_ps(1.44269504F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  Floats r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), bounded);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), r);
  Floats series = _mm512_set1_ps(1.0F / 5040.0F);
  for (const float term :
       {1.0F / 720.0F, 1.0F / 120.0F, 1.0F / 24.0F, 1.0F / 6.0F, 0.5F, 1.0F, 1.0F}) {
    series = _mm512_fmadd_ps(series, r, _mm512_set1_ps(term));
  }
  const Ints whole = _mm512_cvtps_epi32(n);
  const Ints half = _mm512_srai_epi32(whole, 1);
  const auto power = [](Ints e) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(e, _mm512_set1_epi32(127)), 23));
  };
  const Floats scaled =
      _mm512_mul_ps(_mm512_mul_ps(series, power(half)), power(_mm512_sub_epi32(whole, half)));
  const __mmask16 not_below = _mm512_cmp_ps_mask(x, lowest, _CMP_NLT_UQ);
  const __mmask16 above = _mm512_cmp_ps_mask(x, highest, _CMP_GT_OQ);
  return _mm512_mask_mov_ps(_mm512_maskz_mov_ps(not_below, scaled), above,
                            _mm512_set1_ps(__builtin_inff()));
}

/// cap * tanh(x / cap), with tanh_ps() of vector_math.hpp.
inline Floats cap(Floats x, float most) {
  const Floats one = _mm512_set1_ps(1.0F);
  const Floats y = _mm512_div_ps(x, _mm512_set1_ps(most));
  const Floats e = exponential(_mm512_add_ps(y, y));
  const Floats far = _mm512_sub_ps(one, _mm512_div_ps(_mm512_set1_ps(2.0F), _mm512_add_ps(one, e)));
  const Floats square = _mm512_mul_ps(y, y);
  Floats series = _mm512_set1_ps(62.0F / 2835.0F);
  series = _mm512_fmadd_ps(series, square, _mm512_set1_ps(-17.0F / 315.0F));
  series = _mm512_fmadd_ps(series, square, _mm512_set1_ps(2.0F / 15.0F));
  series = _mm512_fmadd_ps(series, square, _mm512_set1_ps(-1.0F / 3.0F));
  const Floats near = _mm512_fmadd_ps(_mm512_mul_ps(series, square), y, y);
  const __mmask16 is_near = _mm512_cmp_ps_mask(square, _mm512_set1_ps(0.0625F), _CMP_LT_OQ);
  return _mm512_mul_ps(_mm512_set1_ps(most), _mm512_mask_mov_ps(far, is_near, near));
}

/// How the codes of q8_0 lie in a page (kv_page.hpp): 32 bytes give a vector of int16 pairs.
struct EightBits {
  /// Pairs that a byte holds codes of.
  static constexpr int kPairs = 1;
  static constexpr Into kInto = Into::kSecondCache;
  static Ints widen(const std::byte* p, int) { return _mm512_cvtepi8_epi16(load_256(p)); }
  /// Numbers [16 v, 16 v + 16) of a group of values, two slots each.
  static Ints widen_value(const std::byte* p, int v) { return widen(p + 32 * v, 0); }
  static void sort_values(Ints (&)[2]) {}
};

/// Those of q4_0: 32 bytes give two vectors, of the low and of the high halves.
struct FourBits {
  static constexpr int kPairs = 2;
  static constexpr Into kInto = Into::kFirstCache;
  static Ints widen(const std::byte* p, int pair) {
    const Ints bytes = _mm512_cvtepu8_epi16(load_256(p));
    const Ints codes =
        pair == 0 ? _mm512_and_si512(bytes, _mm512_set1_epi16(15)) : _mm512_srli_epi16(bytes, 4);
    return _mm512_sub_epi16(codes, _mm512_set1_epi16(8));
  }
  /// Of a group's values: numbers 0..7 and 16..23 (v = 0), the others (v = 1).
  static Ints widen_value(const std::byte* p, int v) { return widen(p, v); }
  static void sort_values(Ints (&v)[2]) {
    const Ints first = _mm512_shuffle_i64x2(v[0], v[1], 0x44);
    v[1] = _mm512_shuffle_i64x2(v[0], v[1], 0xEE);
    v[0] = first;
  }
};

/// Bytes of the codes of `dim` numbers.
template <class Codes>
constexpr std::int64_t dim_bytes(std::int64_t dim) {
  return dim / Codes::kPairs;
}

/// Asks for the scales of group `group` of the run that will be needed next, if it is of this kind.
template <class Codes>
[[gnu::always_inline]] inline void ask_for_scales(const std::byte* run, std::int64_t dim,
                                                  std::int64_t group) {
  constexpr std::int64_t kScaleBytes = 2 * kPageTokens;
  ask_for<Codes::kInto>(run, dim_bytes<Codes>(dim) * kPageTokens + group * kScaleBytes,
                        kScaleBytes);
}

}  // namespace avx512
}  // namespace
}  // namespace vernal::cpu_avx2

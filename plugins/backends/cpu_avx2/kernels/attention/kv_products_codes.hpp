// The two products of attention with a page of q8_0 or q4_0 keys and values, in int16 arithmetic.
//
// Queries and weights become 15-bit codes (a relative step of 3e-5, far below that of the 8-bit
// and 4-bit keys and values), so that one instruction multiplies sixteen pairs and adds neighbours.
// Sums of codes are exact in int32; per row and page there is
//   scores  one f32 fused multiply-add per 32 numbers, with the keys' scales
//   sums    one f32 fused multiply-add per number of a value
// Weights are relative to the row's greatest in the page, so that small ones are not rounded away
// against a greater one elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/kv_pass.hpp"

namespace vernal::cpu_avx2 {

/// Largest code of a query or weight.
inline constexpr float kLargestCode = 32767.0F;

/// Eight slots' scales of a group of 32 numbers.
///   scales  of the run: behind its codes
inline __m256 scales_of(const std::byte* scales, std::int64_t group, std::int64_t slot) {
  return load_f16(scales + 2 * (group * kPageTokens + slot));
}

inline const std::byte* scales_at(const KvRun& run) {
  return run.data + KvLayout::code_bytes(run.format, run.dim);
}

/// sum += codes * pairs, neighbouring products added, with AVX2, for one of kRows rows. With five or six rows
/// it is written out: their sums, two vectors of codes, one of pairs and one product are all registers that
/// there are, and g++ would put sums on the stack.
struct Avx2Products {
  template <int kRows>
  static void add(__m256i& sum, __m256i codes, __m256i pairs) {
    if constexpr (kRows > 4) {
      __m256i product;
      __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0"
              : "+x"(sum), "=&x"(product)
              : "x"(codes), "x"(pairs));
    } else {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(codes, pairs));
    }
  }
};

/// The same with AVX-VNNI, which needs one instruction. Written out, so that no flag of the compiler is needed;
/// to be run where the set is available.
struct AvxVnniProducts {
  template <int>
  static void add(__m256i& sum, __m256i codes, __m256i pairs) {
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(codes), "x"(pairs));
  }
};

/// How the codes of q8_0 lie in a page: 16 bytes give one vector of int16 pairs.
template <class P>
struct EightBitCodes {
  using Products = P;
  /// Pairs that a byte holds codes of.
  static constexpr int kPairs = 1;
  static constexpr Into kInto = Into::kSecondCache;
  static __m256i widen(const std::byte* p, int) { return _mm256_cvtepi8_epi16(load_128(p)); }
};

/// Those of q4_0: 16 bytes give two vectors, of the low and of the high halves.
template <class P>
struct FourBitCodes {
  using Products = P;
  static constexpr int kPairs = 2;
  static constexpr Into kInto = Into::kFirstCache;
  static __m256i widen(const std::byte* p, int pair) {
    const __m256i bytes = _mm256_cvtepu8_epi16(load_128(p));
    const __m256i codes =
        pair == 0 ? _mm256_and_si256(bytes, _mm256_set1_epi16(15)) : _mm256_srli_epi16(bytes, 4);
    return _mm256_sub_epi16(codes, _mm256_set1_epi16(8));
  }
};

/// Eight f32 twice -> sixteen int16 in order, rounded to nearest, saturating.
inline __m256i codes_of_weights(__m256 first, __m256 second) {
  const __m256i packed = _mm256_packs_epi32(_mm256_cvtps_epi32(first), _mm256_cvtps_epi32(second));
  return _mm256_permute4x64_epi64(packed, 0xD8);
}

/// codes[i] = round(q[i] / scale), scale = max|q| / 32767; returns the scale. dim: a multiple
/// of 32.
inline float quantize_query(const float* q, std::int64_t dim, std::int16_t* codes) {
  __m256 largest = _mm256_setzero_ps();
  for (std::int64_t i = 0; i < dim; i += kLanes) {
    largest =
        _mm256_max_ps(largest, _mm256_andnot_ps(_mm256_set1_ps(-0.0F), _mm256_loadu_ps(q + i)));
  }
  const float top = max_lanes(largest);
  const __m256 inverse = _mm256_set1_ps(top >= 1e-30F ? kLargestCode / top : 0.0F);
  for (std::int64_t i = 0; i < dim; i += 2 * kLanes) {
    store_256(codes + i, codes_of_weights(_mm256_mul_ps(_mm256_loadu_ps(q + i), inverse),
                                          _mm256_mul_ps(_mm256_loadu_ps(q + i + kLanes), inverse)));
  }
  return top / kLargestCode;
}

/// int32 products of kRows queries with the keys of 8 * kVectors slots, over numbers [first, last).
///   q     [kRows][dim]
///   keys  the codes of the first of the slots
template <class Codes, int kRows, int kVectors>
inline void multiply_keys(const std::int16_t* q, std::int64_t dim, const std::byte* keys,
                          const std::byte* ahead, Slots numbers, __m256i (&sums)[kRows][kVectors]) {
  for (auto& row : sums) {
    for (__m256i& sum : row) sum = _mm256_setzero_si256();
  }
  for (std::int64_t i = numbers.first; i < numbers.last; i += 2 * Codes::kPairs) {
    const std::int64_t offset = i / Codes::kPairs * kPageTokens;
    prefetch<Codes::kInto>(ahead, offset);
#pragma GCC unroll 2
    for (int pair = 0; pair < Codes::kPairs; ++pair) {
      __m256i key[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) key[v] = Codes::widen(keys + offset + 16 * v, pair);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m256i numbers_of_q = broadcast_dword(q + r * dim + i + 2 * pair);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          Codes::Products::template add<kRows>(sums[r][v], key[v], numbers_of_q);
        }
      }
    }
  }
}

/// scores[r * 64 + slot] = q[r] . key[slot] in units of the query's scale, for the slots given and
/// their neighbours up to a multiple of 32. Asks for the run `ahead` on the way.
///   q  [kRows][dim], of quantize_query()
template <class Codes, int kRows>
void score_page_codes(const std::int16_t* q, const KvRun& keys, const std::byte* ahead, Slots slots,
                      float* scores) {
  constexpr int kVectors = kVectorsOfPass<kRows>;
  constexpr std::int64_t kStep = kLanes * kVectors;
  const std::byte* scales = scales_at(keys);
  for (std::int64_t slot = slots.first / kStep * kStep; slot < slots.last; slot += kStep) {
    for (std::int64_t group = 0; group < keys.dim / kKvGroup; ++group) {
      __m256i sums[kRows][kVectors];
      multiply_keys<Codes, kRows, kVectors>(q, keys.dim, keys.data + 2 * slot, ahead,
                                            {group * kKvGroup, (group + 1) * kKvGroup}, sums);
      for (int v = 0; v < kVectors; ++v) {
        const __m256 scale = scales_of(scales, group, slot + kLanes * v);
        for (int r = 0; r < kRows; ++r) {
          float* total = scores + r * kPageTokens + slot + kLanes * v;
          const __m256 before = group == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(total);
          const __m256 sum = _mm256_cvtepi32_ps(sums[r][v]);
          _mm256_storeu_ps(total, _mm256_fmadd_ps(sum, scale, before));
        }
      }
    }
    ahead = ahead_of_next_pass(ahead, slot < kStep);
  }
}

/// Scales of a page of values, [value_dim / 32][64], as f32 and zero outside the slots, where there
/// may be anything.
inline void load_value_scales(const KvRun& values, Slots slots, float* scales) {
  const std::byte* halves = scales_at(values);
  for (std::int64_t slot = 0; slot < kPageTokens; slot += kLanes) {
    const __m256 held = _mm256_castsi256_ps(
        _mm256_andnot_si256(lane_mask(slots.first - slot), lane_mask(slots.last - slot)));
    for (std::int64_t group = 0; group < values.dim / kKvGroup; ++group) {
      _mm256_storeu_ps(scales + group * kPageTokens + slot,
                       _mm256_and_ps(scales_of(halves, group, slot), held));
    }
  }
}

/// What a unit of the codes of weights * scales is worth, of up to eight rows: their greatest |product|
/// over 64 slots / 32767, relative to the row's own, so that a row depends on nothing that it does not
/// see.
///   weights   [count][64], not negative
///   factors   eight numbers, that may be anything behind `count`, like both results
///   inverses  1 / unit; 0 where all products are
///   units     factor * unit
inline void find_units(const float* weights, const float* factors, const float* scales,
                       std::int64_t count, float* inverses, float* units) {
  __m256 magnitudes[8];
#pragma GCC unroll 8
  for (int v = 0; v < 8; ++v) {
    magnitudes[v] = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), _mm256_loadu_ps(scales + 8 * v));
  }
  __m256 largest[8];
  for (std::int64_t r = 0; r < count; ++r) {
    const float* row = weights + r * kPageTokens;
    __m256 most = _mm256_setzero_ps();
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v) {
      most = _mm256_max_ps(most, _mm256_mul_ps(_mm256_loadu_ps(row + 8 * v), magnitudes[v]));
    }
    largest[r] = most;
  }
  for (std::int64_t r = count; r < 8; ++r) largest[r] = _mm256_setzero_ps();
  const __m256 top = max_lanes_of_each(largest);
  const __m256 code = _mm256_set1_ps(kLargestCode);
  const __m256 enough = _mm256_cmp_ps(top, _mm256_set1_ps(1e-30F), _CMP_GE_OQ);
  _mm256_storeu_ps(inverses, _mm256_and_ps(_mm256_div_ps(code, top), enough));
  _mm256_storeu_ps(units, _mm256_mul_ps(_mm256_loadu_ps(factors), _mm256_div_ps(top, code)));
}

/// codes[r][slot] = round(weight * scale * inverses[r]), of 64 slots.
inline void quantize_weights(const float* weights, const float* scales, const float* inverses,
                             std::int64_t count, std::int16_t* codes) {
  __m256 scale[8];
#pragma GCC unroll 8
  for (int v = 0; v < 8; ++v) scale[v] = _mm256_loadu_ps(scales + 8 * v);
  for (std::int64_t r = 0; r < count; ++r) {
    const __m256 inverse = _mm256_broadcast_ss(inverses + r);
    const float* row = weights + r * kPageTokens;
#pragma GCC unroll 4
    for (int v = 0; v < 8; v += 2) {
      const __m256 first = _mm256_mul_ps(_mm256_loadu_ps(row + 8 * v), scale[v]);
      const __m256 second = _mm256_mul_ps(_mm256_loadu_ps(row + 8 * v + 8), scale[v + 1]);
      store_256(codes + r * kPageTokens + 8 * v,
                codes_of_weights(_mm256_mul_ps(first, inverse), _mm256_mul_ps(second, inverse)));
    }
  }
}

/// The weights of rows for 32 numbers of the values.
template <int kRows>
struct GroupWeights {
  alignas(32) std::int16_t codes[kRows * kPageTokens];
  alignas(32) float units[8];  ///< what a unit of each row's products is worth

  /// factors  [8]
  /// scales   [64], of the group
  void prepare(const float* weights, const float* factors, const float* scales) {
    alignas(32) float inverses[8];
    find_units(weights, factors, scales, kRows, inverses, units);
    quantize_weights(weights, scales, inverses, kRows, codes);
  }
};

/// Numbers [i, i + 8 * kVectors) of the sums, given the codes of weights [kRows][64] and what a
/// unit of each row's products is worth.
template <class Codes, int kRows, int kVectors>
inline void add_numbers_codes(const std::int16_t* codes, const float* units, const KvRun& values,
                              const std::byte* ahead, std::int64_t i, Slots slots, ValueSums sums) {
  __m256i total[kRows][kVectors];
  for (auto& row : total) {
    for (__m256i& sum : row) sum = _mm256_setzero_si256();
  }
  for (std::int64_t slot = slots.first / 2 * 2; slot < slots.last; slot += 2) {
    const std::int64_t offset = slot / Codes::kPairs * values.dim;
    const std::byte* p = values.data + offset + 2 / Codes::kPairs * i;
    prefetch<Codes::kInto>(ahead, offset + 2 / Codes::kPairs * i);
    __m256i value[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      value[v] = Codes::widen(p + v / Codes::kPairs * 16, v % Codes::kPairs);
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256i pair = broadcast_dword(codes + r * kPageTokens + slot);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        Codes::Products::template add<kRows>(total[r][v], value[v], pair);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    const __m256 unit = _mm256_set1_ps(units[r]);
    for (int v = 0; v < kVectors; ++v) {
      float* sum = sums.data + r * sums.stride + i + kLanes * v;
      _mm256_storeu_ps(
          sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(total[r][v]), unit, _mm256_loadu_ps(sum)));
    }
  }
}

/// sums[r] += factors[r] * weights[r * 64 + slot] * value[slot], over the slots. Asks for the run
/// `ahead` on the way.
///   scales  of load_value_scales()
template <class Codes, int kRows>
void add_page_codes(const float* weights, const float* factors, const float* scales,
                    const KvRun& values, const std::byte* ahead, Slots slots, ValueSums sums) {
  constexpr int kVectors = kVectorsOfPass<kRows>;
  // Codes of the next group are made before the products of this one, so that products do not wait for
  // the codes that they need.
  GroupWeights<kRows> prepared[2];
  const std::int64_t num_groups = values.dim / kKvGroup;
  prepared[0].prepare(weights, factors, scales);
  for (std::int64_t group = 0; group < num_groups; ++group) {
    if (group + 1 < num_groups) {
      prepared[(group + 1) % 2].prepare(weights, factors, scales + (group + 1) * kPageTokens);
    }
    const GroupWeights<kRows>& now = prepared[group % 2];
    for (std::int64_t i = group * kKvGroup; i < (group + 1) * kKvGroup; i += kLanes * kVectors) {
      add_numbers_codes<Codes, kRows, kVectors>(now.codes, now.units, values, ahead, i, slots,
                                                sums);
    }
  }
}

}  // namespace vernal::cpu_avx2

// Page kernels for AVX-512 with VNNI. Compiled with flags of its own (CMakeLists.txt), so nothing
// here is shared with other sources.
//
// All six rows of a pass have their sums in registers beside four vectors of keys, so a page is
// widened once for them. The arithmetic is that of kv_products_codes.hpp, kv_products_f16.hpp and
// page_softmax.hpp, number by number.
#include "kernels/attention/page_kernels.hpp"
#include "kernels/attention/vectors_512.hpp"

namespace vernal::cpu_avx2 {

namespace {

using namespace avx512;  // NOLINT(google-build-using-namespace): internal to this source

constexpr int kMostRows = 6;
constexpr int kVectors = kPageTokens / kLanes512;  // of a page's slots
constexpr std::int64_t kGroupVectors = kKvGroup / kLanes512;

/// kernel(first row, number of rows as a constant, run to ask for), for at most six rows at a time.
template <class Kernel>
void for_each_pass(const PageRun& page, std::int64_t num_rows, const Kernel& kernel) {
  for (std::int64_t r = 0; r < num_rows; r += kMostRows) {
    const std::byte* ahead = r == 0 ? page.ahead : nullptr;
    switch (num_rows - r) {
      case 1:
        kernel(r, Count<1>{}, ahead);
        break;
      case 2:
        kernel(r, Count<2>{}, ahead);
        break;
      case 3:
        kernel(r, Count<3>{}, ahead);
        break;
      case 4:
        kernel(r, Count<4>{}, ahead);
        break;
      case 5:
        kernel(r, Count<5>{}, ahead);
        break;
      default:
        kernel(r, Count<kMostRows>{}, ahead);
    }
  }
}

// ---- scores ---------------------------------------------------------------------------------------

/// Products of kRows queries with the keys of a page, over 32 numbers from `first` on.
template <class Codes, int kRows>
void multiply_keys(const std::int16_t* q, const KvRun& keys, const std::byte* ahead,
                   std::int64_t first, Ints (&sums)[kRows][kVectors]) {
#pragma GCC unroll 6
  for (auto& row : sums) {
    for (Ints& sum : row) sum = _mm512_setzero_si512();
  }
  for (std::int64_t i = first; i < first + kKvGroup; i += 2 * Codes::kPairs) {
    const std::int64_t offset = i / Codes::kPairs * kPageTokens;
    ask_for<Codes::kInto>(ahead, offset, 2 * kPageTokens);
#pragma GCC unroll 4
    for (int pair = 0; pair < Codes::kPairs; ++pair) {
      Ints key[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) key[v] = Codes::widen(keys.data + offset + 32 * v, pair);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const Ints numbers = broadcast(q + r * keys.dim + i + 2 * pair);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sums[r][v] = dot_pairs(sums[r][v], key[v], numbers);
      }
    }
  }
}

template <class Codes, int kRows>
void score_codes(const std::int16_t* q, const KvRun& keys, const std::byte* ahead, float* scores) {
  const std::byte* scales = keys.data + dim_bytes<Codes>(keys.dim) * kPageTokens;
  for (std::int64_t group = 0; group < keys.dim / kKvGroup; ++group) {
    ask_for_scales<Codes>(ahead, keys.dim, group);
    Ints sums[kRows][kVectors];
    multiply_keys<Codes, kRows>(q, keys, ahead, group * kKvGroup, sums);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Floats scale = load_halves(scales + 2 * (group * kPageTokens + kLanes512 * v));
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        float* total = scores + r * kPageTokens + kLanes512 * v;
        const Floats before = group == 0 ? _mm512_setzero_ps() : _mm512_loadu_ps(total);
        _mm512_storeu_ps(total, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][v]), scale, before));
      }
    }
  }
}

template <int kRows>
void score_halves(const float* q, const KvRun& keys, const std::byte* ahead, float* scores) {
  Floats sums[kRows][kVectors];
#pragma GCC unroll 6
  for (auto& row : sums) {
    for (Floats& sum : row) sum = _mm512_setzero_ps();
  }
  for (std::int64_t i = 0; i < keys.dim; ++i) {
    const std::int64_t offset = 2 * i * kPageTokens;
    ask_for<Into::kSecondCache>(ahead, offset, 2 * kPageTokens);
    Floats key[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) key[v] = load_halves(keys.data + offset + 32 * v);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const Floats number = _mm512_set1_ps(q[r * keys.dim + i]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm512_fmadd_ps(number, key[v], sums[r][v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_ps(scores + r * kPageTokens + kLanes512 * v, sums[r][v]);
    }
  }
}

void score(const QueryRows& q, const PageRun& keys, float*, float* scores) {
  const std::int64_t dim = keys.run.dim;
  for_each_pass(keys, q.count,
                [&]<int kRows>(std::int64_t r, Count<kRows>, const std::byte* ahead) {
                  float* out = scores + r * kPageTokens;
                  if (keys.run.format == KvFormat::kF16) {
                    score_halves<kRows>(q.numbers + r * dim, keys.run, ahead, out);
                  } else if (keys.run.format == KvFormat::kQ8_0) {
                    score_codes<EightBits, kRows>(q.codes + r * dim, keys.run, ahead, out);
                  } else {
                    score_codes<FourBits, kRows>(q.codes + r * dim, keys.run, ahead, out);
                  }
                });
}

// ---- weights --------------------------------------------------------------------------------------

/// power_of_two() of page_softmax.hpp, operation by operation.
Floats power_of_two(Floats y) {
  const Floats bounded = _mm512_max_ps(_mm512_set1_ps(-126.0F), y);
  const Floats whole = _mm512_set1_ps(12582912.0F);
  const Floats n = _mm512_add_ps(bounded, whole);
  const Floats f = _mm512_sub_ps(bounded, _mm512_sub_ps(n, whole));
  Floats p = _mm512_set1_ps(kPowerTerms[4]);
#pragma GCC unroll 4
  for (int i = 3; i >= 0; --i) p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(kPowerTerms[i]));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0F));
  const Ints exponent = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
}

PageWeights weigh(float* scores, Slots seen, ScoreScaling scaling) {
  const Floats lowest = _mm512_set1_ps(-__builtin_inff());
  const std::uint64_t visible = (~0ULL >> (64 - (seen.last - seen.first))) << seen.first;
  const bool plain = is_plain(scaling);
  Floats score[kVectors];
  Floats greatest = lowest;
#pragma GCC unroll 4
  for (int k = 0; k < kVectors; ++k) {
    const auto mask = static_cast<__mmask16>(visible >> (kLanes512 * k));
    Floats v = _mm512_loadu_ps(scores + kLanes512 * k);
    if (!plain) v = _mm512_mul_ps(v, _mm512_set1_ps(scaling.scale));
    if (scaling.softcap > 0.0F) v = cap(v, scaling.softcap);
    score[k] = _mm512_mask_mov_ps(lowest, mask, v);
    greatest = _mm512_max_ps(greatest, score[k]);
  }
  const float top = greatest_lane(greatest);
  const Floats unit = _mm512_set1_ps(plain ? kLog2OfE * scaling.scale : kLog2OfE);
  // Eight lanes of sums, as with AVX2.
  __m256 sum = _mm256_setzero_ps();
#pragma GCC unroll 4
  for (int k = 0; k < kVectors; ++k) {
    const auto mask = static_cast<__mmask16>(visible >> (kLanes512 * k));
    const Floats below = _mm512_sub_ps(score[k], _mm512_set1_ps(top));
    const Floats weight = _mm512_maskz_mov_ps(mask, power_of_two(_mm512_mul_ps(below, unit)));
    _mm512_storeu_ps(scores + kLanes512 * k, weight);
    sum = _mm256_add_ps(sum, _mm512_castps512_ps256(weight));
    sum = _mm256_add_ps(sum, _mm512_extractf32x8_ps(weight, 1));
  }
  return {plain ? top * scaling.scale : top, sum_of_eight(sum)};
}

void weigh_eight(float* scores, const float* scales, float* greatest, float* sums) {
  for (std::int64_t r = 0; r < 8; ++r) {
    const PageWeights row = weigh(scores + r * kPageTokens, {0, kPageTokens}, {scales[r], 0.0F});
    greatest[r] = row.greatest;
    sums[r] = row.sum;
  }
}

// ---- values ---------------------------------------------------------------------------------------

/// [value_dim / 32][64] scales as f32, zero outside the slots, where there may be anything.
void load_scales(const std::byte* halves, std::int64_t groups, Slots slots, float* scales) {
  const std::uint64_t held = (~0ULL >> (64 - (slots.last - slots.first))) << slots.first;
  for (std::int64_t group = 0; group < groups; ++group) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t at = group * kPageTokens + kLanes512 * v;
      const auto mask = static_cast<__mmask16>(held >> (kLanes512 * v));
      _mm512_storeu_ps(scales + at, _mm512_maskz_mov_ps(mask, load_halves(halves + 2 * at)));
    }
  }
}

/// codes[slot] = round(weight * scale / unit), unit = greatest |product| / 32767; returns the unit.
float quantize_weights(const float* weights, const float* scales, std::int16_t* codes) {
  constexpr float kLargestCode = 32767.0F;
  Floats products[kVectors];
  Floats largest = _mm512_setzero_ps();
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    products[v] = _mm512_mul_ps(_mm512_loadu_ps(weights + kLanes512 * v),
                                _mm512_loadu_ps(scales + kLanes512 * v));
    largest = _mm512_max_ps(largest, _mm512_abs_ps(products[v]));
  }
  const float top = greatest_lane(largest);
  const Floats inverse = _mm512_set1_ps(top >= 1e-30F ? kLargestCode / top : 0.0F);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const Ints whole = _mm512_cvtps_epi32(_mm512_mul_ps(products[v], inverse));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + kLanes512 * v),
                        _mm512_cvtsepi32_epi16(whole));
  }
  return top / kLargestCode;
}

/// The 32 numbers of a group, for kRows rows of codes [kRows][64].
template <class Codes, int kRows>
void add_group(const std::int16_t* codes, const float* units, const PageRun& values,
               const std::byte* ahead, std::int64_t group, ValueSums sums) {
  Ints total[kRows][kGroupVectors];
#pragma GCC unroll 6
  for (auto& row : total) {
    for (Ints& sum : row) sum = _mm512_setzero_si512();
  }
  const std::int64_t stride = 2 * dim_bytes<Codes>(values.run.dim);
  const std::byte* const first = values.run.data + 2 * dim_bytes<Codes>(group * kKvGroup);
  for (std::int64_t slot = values.slots.first / 2 * 2; slot < values.slots.last; slot += 2) {
    const std::int64_t offset = slot / 2 * stride;
    ask_for<Codes::kInto>(ahead, offset + 2 * group * dim_bytes<Codes>(kKvGroup), kLine);
    Ints value[kGroupVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kGroupVectors; ++v) value[v] = Codes::widen_value(first + offset, v);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const Ints pair = broadcast(codes + r * kPageTokens + slot);
#pragma GCC unroll 4
      for (int v = 0; v < kGroupVectors; ++v) total[r][v] = dot_pairs(total[r][v], value[v], pair);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    Codes::sort_values(total[r]);
    const Floats unit = _mm512_set1_ps(units[r]);
#pragma GCC unroll 4
    for (int v = 0; v < kGroupVectors; ++v) {
      float* sum = sums.data + r * sums.stride + group * kKvGroup + kLanes512 * v;
      const Floats added = _mm512_cvtepi32_ps(total[r][v]);
      _mm512_storeu_ps(sum, _mm512_fmadd_ps(added, unit, _mm512_loadu_ps(sum)));
    }
  }
}

template <class Codes, int kRows>
void add_codes(const float* weights, const float* factors, const float* scales,
               const PageRun& values, const std::byte* ahead, ValueSums sums) {
  alignas(64) std::int16_t codes[kRows * kPageTokens];
  float units[kRows];
  for (std::int64_t group = 0; group < values.run.dim / kKvGroup; ++group) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t row = r * kPageTokens;
      units[r] =
          factors[r] * quantize_weights(weights + row, scales + group * kPageTokens, codes + row);
    }
    ask_for_scales<Codes>(ahead, values.run.dim, group);
    add_group<Codes, kRows>(codes, units, values, ahead, group, sums);
  }
}

/// sums += weights * factors * values for the numbers of `mask` from i on.
template <int kRows>
void add_halves(const float* weights, const float* factors, const PageRun& values,
                const std::byte* ahead, ValueSums sums) {
  const std::int64_t dim = values.run.dim;
  alignas(64) float scaled[kRows * kPageTokens];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    for (std::int64_t slot = r * kPageTokens; slot < (r + 1) * kPageTokens; slot += kLanes512) {
      _mm512_store_ps(scaled + slot,
                      _mm512_mul_ps(_mm512_loadu_ps(weights + slot), _mm512_set1_ps(factors[r])));
    }
  }
  for (std::int64_t i = 0; i < dim; i += 2 * kLanes512) {
    const __mmask16 masks[2] = {first_lanes(dim - i), first_lanes(dim - i - kLanes512)};
    Floats total[kRows][2];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < 2; ++v) {
        total[r][v] =
            _mm512_maskz_loadu_ps(masks[v], sums.data + r * sums.stride + i + kLanes512 * v);
      }
    }
    for (std::int64_t slot = values.slots.first; slot < values.slots.last; ++slot) {
      const std::byte* p = values.run.data + 2 * (slot * dim + i);
      ask_for<Into::kSecondCache>(ahead, 2 * (slot * dim + i), kLine);
      const Floats value[2] = {load_halves(p, masks[0]), load_halves(p + 32, masks[1])};
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const Floats weight = _mm512_set1_ps(scaled[r * kPageTokens + slot]);
#pragma GCC unroll 4
        for (int v = 0; v < 2; ++v) total[r][v] = _mm512_fmadd_ps(weight, value[v], total[r][v]);
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < 2; ++v) {
        _mm512_mask_storeu_ps(sums.data + r * sums.stride + i + kLanes512 * v, masks[v],
                              total[r][v]);
      }
    }
  }
}

void add(const float* weights, const float* factors, std::int64_t count, const PageRun& values,
         float* scratch, ValueSums sums) {
  const KvRun& run = values.run;
  if (run.format != KvFormat::kF16) {
    const bool is_q8 = run.format == KvFormat::kQ8_0;
    const std::int64_t row = is_q8 ? dim_bytes<EightBits>(run.dim) : dim_bytes<FourBits>(run.dim);
    load_scales(run.data + row * kPageTokens, run.dim / kKvGroup, values.slots, scratch);
  }
  for_each_pass(values, count,
                [&]<int kRows>(std::int64_t r, Count<kRows>, const std::byte* ahead) {
                  const float* w = weights + r * kPageTokens;
                  const ValueSums out{sums.data + r * sums.stride, sums.stride};
                  if (run.format == KvFormat::kF16) {
                    add_halves<kRows>(w, factors + r, values, ahead, out);
                  } else if (run.format == KvFormat::kQ8_0) {
                    add_codes<EightBits, kRows>(w, factors + r, scratch, values, ahead, out);
                  } else {
                    add_codes<FourBits, kRows>(w, factors + r, scratch, values, ahead, out);
                  }
                });
}

constexpr PageKernels kKernels{score, weigh, weigh_eight, add};

}  // namespace

const PageKernels& avx512_vnni_page_kernels() { return kKernels; }

}  // namespace vernal::cpu_avx2

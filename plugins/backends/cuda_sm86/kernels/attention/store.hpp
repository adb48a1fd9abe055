// Rows of keys and values on their way into a page (kv_run.hpp): quantised and stored by a warp.
#pragma once

#include "kernels/attention/kv_run.hpp"

namespace vernal::cuda_sm86 {

/// The nearest f16. A finite number stays finite.
__device__ __forceinline__ uint16_t stored_half(float x) {
  return half_of_float(fabsf(x) < INFINITY ? fminf(fmaxf(x, -65504.0F), 65504.0F) : x);
}

/// The scale of a group as it is stored, and its inverse.
struct GroupScale {
  uint16_t pattern;
  float inverse;
};

/// As vernal::block_scale(): a scale that is not finite becomes NaN, so that the fault is seen.
__device__ __forceinline__ GroupScale group_scale(float wanted) {
  if (!(fabsf(wanted) < INFINITY)) return {0x7E00U, 0.0F};
  const uint16_t pattern = stored_half(wanted);
  const float stored = float_of_half(pattern);
  return {pattern, stored == 0.0F ? 0.0F : 1.0F / stored};
}

/// A part of a group: the numbers 4t .. 4t+3 and 16 + 4t .. 16 + 4t+3.
struct GroupPart {
  float x[8];

  __device__ static int index(int t, int j) { return j / 4 * 16 + 4 * t + j % 4; }
};

/// The number of largest magnitude of a group, with its sign; the first one of equals, or one that
/// is not finite. The four lanes of the group call it, with all others of the warp.
__device__ __forceinline__ float extreme_of(const GroupPart& part, int t) {
  const auto magnitude = [](float x) { return fabsf(x) < INFINITY ? fabsf(x) : INFINITY; };
  float extreme = part.x[0];
  int at = GroupPart::index(t, 0);
  for (int j = 1; j < 8; ++j) {
    if (magnitude(part.x[j]) > magnitude(extreme)) {
      extreme = part.x[j];
      at = GroupPart::index(t, j);
    }
  }
  for (int distance = 1; distance < 4; distance *= 2) {
    const float other = __shfl_xor_sync(kFullWarp, extreme, distance);
    const int other_at = __shfl_xor_sync(kFullWarp, at, distance);
    const bool is_equal = magnitude(other) == magnitude(extreme);
    if (magnitude(other) > magnitude(extreme) || (is_equal && other_at < at)) {
      extreme = other;
      at = other_at;
    }
  }
  return extreme;
}

__device__ __forceinline__ int code_of(float x, GroupScale scale, float least, float most) {
  return __float2int_rn(fminf(fmaxf(x * scale.inverse, least), most));
}

/// Stores a part of a group. Rounding is that of vernal::quantize_row_q8_0() and quantize_row_q4_0().
template <bool kIsKey>
__device__ __forceinline__ void store_part(const KvRun& run, unsigned char* data, int position,
                                           int group, int t, const GroupPart& part,
                                           GroupScale scale) {
  const auto at = [&](int j) {
    const int number = group * kGroupNumbers + GroupPart::index(t, j);
    return kIsKey ? key_at(run.format, run.dim, position, number)
                  : value_at(run.format, position, number);
  };
  const bool is_q8 = run.format == RunFormat::kQ8_0;
  for (int j = 0; j < (is_q8 ? 8 : 4); ++j) {
    int code = 0;
    if (is_q8) {
      code = code_of(part.x[j], scale, -127.0F, 127.0F) & 255;
    } else {
      const int low = code_of(part.x[j], scale, -8.0F, 7.0F) + 8;
      const int high = code_of(part.x[j + 4], scale, -8.0F, 7.0F) + 8;
      code = low | high << 4;
    }
    data[at(j)] = static_cast<unsigned char>(code);
  }
}

/// Stores a row at a position of a page. All lanes of a warp; `row` is what they all see.
///   data  the run in the page
template <bool kIsKey>
__device__ __forceinline__ void store_row(const KvRun& run, unsigned char* data, int position,
                                          const float* row, int lane) {
  if (run.format == RunFormat::kF16) {
    for (int i = lane; i < run.dim; i += kWarpSize) {
      const int64_t at = kIsKey ? key_at(RunFormat::kF16, run.dim, position, i)
                                : value_at(RunFormat::kF16, position, i);
      *reinterpret_cast<uint16_t*>(data + at) = stored_half(row[i]);
    }
    return;
  }
  const int groups = run.dim / kGroupNumbers;
  const int t = lane % 4;
  for (int first = 0; first < groups; first += kWarpSize / 4) {
    const int group = first + lane / 4;
    GroupPart part{};
    if (group < groups) {
      for (int j = 0; j < 8; ++j) part.x[j] = row[group * kGroupNumbers + GroupPart::index(t, j)];
    }
    const float extreme = extreme_of(part, t);
    const bool is_q8 = run.format == RunFormat::kQ8_0;
    const GroupScale scale = group_scale(is_q8 ? fabsf(extreme) / 127.0F : extreme / -8.0F);
    if (group >= groups) continue;
    store_part<kIsKey>(run, data, position, group, t, part, scale);
    if (t == 0) {
      auto* const scales = reinterpret_cast<uint16_t*>(data + run.scales_at);
      scales[scale_at(group, position)] = scale.pattern;
    }
  }
}

}  // namespace vernal::cuda_sm86

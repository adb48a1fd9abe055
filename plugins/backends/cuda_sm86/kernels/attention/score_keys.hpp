// Scores of a page, and the weights that become of them.
#pragma once

#include "kernels/attention/attend_block.hpp"
#include "kernels/attention/key_fragments.hpp"

namespace vernal::cuda_sm86 {

/// s += the products of one group, times its scales.
template <bool kHasScales>
__device__ __forceinline__ void multiply_keys(float (&s)[4], const uint32_t (&a)[2][4],
                                              const uint4& queries, float low_scale,
                                              float high_scale) {
  const uint32_t first[2] = {queries.x, queries.y};
  const uint32_t second[2] = {queries.z, queries.w};
  if constexpr (kHasScales) {
    float d[4] = {0.0F, 0.0F, 0.0F, 0.0F};
    multiply_f16(d, a[0], first);
    multiply_f16(d, a[1], second);
    s[0] = __fmaf_rn(d[0], low_scale, s[0]);
    s[1] = __fmaf_rn(d[1], low_scale, s[1]);
    s[2] = __fmaf_rn(d[2], high_scale, s[2]);
    s[3] = __fmaf_rn(d[3], high_scale, s[3]);
  } else {
    multiply_f16(s, a[0], first);
    multiply_f16(s, a[1], second);
  }
}

/// Scores of a page: rows g and g + 8 of a fragment are the keys of key_of_row().
template <class Keys, class Shape>
__device__ __forceinline__ void score_page(float (&s)[Shape::kTiles][4], const Attention& a,
                                           const AttendShared<Shape>& shared, const AttendWork& w,
                                           const unsigned char* run, const uint2* scales) {
  const int groups = padded_dim(a.keys.dim) / kGroupNumbers;
  const int key = w.warp() * 16 + key_of_row(w.g());
  VERNAL_UNROLL
  for (int i = 0; i < Shape::kTiles; ++i) {
    for (int r = 0; r < 4; ++r) s[i][r] = 0.0F;
  }
  // A chunk is on its way while the one before is multiplied.
  typename Keys::Chunk next = Keys::load(run, a.keys.dim, key, 0, w.t());
  VERNAL_NO_UNROLL
  for (int first = 0; first < groups; first += Keys::kChunkGroups) {
    const typename Keys::Chunk chunk = next;
    if (first + Keys::kChunkGroups < groups) {
      next = Keys::load(run, a.keys.dim, key, first + Keys::kChunkGroups, w.t());
    }
    VERNAL_UNROLL
    for (int i = 0; i < Keys::kChunkGroups; ++i) {
      const int group = first + i;
      if (group >= groups) break;
      uint32_t fragments[2][4];
      Keys::unpack(chunk, i, fragments);
      uint32_t pair = 0;
      if constexpr (Keys::kHasScales) {
        pair = reinterpret_cast<const uint32_t*>(scales)[group * 32 + w.warp() * 8 + w.g()];
      }
      const float low = float_of_half(static_cast<uint16_t>(pair & 0xFFFFU));
      const float high = float_of_half(static_cast<uint16_t>(pair >> 16));
      VERNAL_UNROLL
      for (int tile = 0; tile < Shape::kTiles; ++tile) {
        if (tile >= w.num_tiles) break;
        multiply_keys<Keys::kHasScales>(s[tile], fragments, shared.queries[group][tile][w.lane()],
                                        low, high);
      }
    }
  }
}

/// Caps scores, and takes keys away that a column does not see.
template <class Shape>
__device__ __forceinline__ void mask_scores(float (&s)[Shape::kTiles][4], const Attention& a,
                                            const AttendShared<Shape>& shared, const AttendWork& w,
                                            int page) {
  const int first = page * kPagePositions;
  const bool is_open = first >= shared.all.first && first + kPagePositions <= shared.all.end;
  const int key = first + w.warp() * 16 + key_of_row(w.g());
  VERNAL_UNROLL
  for (int tile = 0; tile < Shape::kTiles; ++tile) {
    if (tile >= w.num_tiles) break;
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      if (a.softcap > 0.0F) s[tile][r] = a.softcap * tanhf(s[tile][r]);
      if (is_open) continue;
      const int column = tile * kTileColumns + 2 * w.t() + r % 2;
      const VisibleKeys visible = shared.visible[column];
      const int position = key + r / 2 * 2;
      if (position < visible.first || position >= visible.end) s[tile][r] = -INFINITY;
    }
  }
}

/// Leaves the maxima of the warp's keys, by column.
template <class Shape>
__device__ __forceinline__ void share_maxima(const float (&s)[Shape::kTiles][4],
                                             AttendShared<Shape>& shared, const AttendWork& w) {
  VERNAL_UNROLL
  for (int tile = 0; tile < Shape::kTiles; ++tile) {
    if (tile >= w.num_tiles) break;
    VERNAL_UNROLL
    for (int h = 0; h < 2; ++h) {
      float maximum = fmaxf(s[tile][h], s[tile][2 + h]);
      for (int distance = 4; distance < kWarpSize; distance *= 2) {
        maximum = fmaxf(maximum, __shfl_xor_sync(kFullWarp, maximum, distance));
      }
      const int column = tile * kTileColumns + 2 * w.t() + h;
      if (w.g() == 0) shared.warp_maximum[w.warp()][column] = maximum;
    }
  }
}

/// The maximum of a column with this page. After a barrier behind share_maxima().
template <class Shape>
__device__ __forceinline__ float new_maximum(const AttendShared<Shape>& shared, int parity,
                                             int column) {
  float maximum = shared.maximum[parity][column];
  for (int i = 0; i < kKeyTiles; ++i) maximum = fmaxf(maximum, shared.warp_maximum[i][column]);
  return maximum;
}

/// What scores are compared with: a column that has seen no key yet has no maximum.
__device__ __forceinline__ float reference_of(float maximum) {
  return maximum == -INFINITY ? 0.0F : maximum;
}

/// Leaves weights as fragments of the next product, and their sums over the warp's keys.
template <class Shape>
__device__ __forceinline__ void share_weights(const float (&s)[Shape::kTiles][4],
                                              AttendShared<Shape>& shared, const AttendWork& w,
                                              int parity) {
  auto* const weights = reinterpret_cast<uint32_t*>(shared.weights);
  VERNAL_UNROLL
  for (int tile = 0; tile < Shape::kTiles; ++tile) {
    if (tile >= w.num_tiles) break;
    VERNAL_UNROLL
    for (int h = 0; h < 2; ++h) {
      const int in_tile = 2 * w.t() + h;
      const int column = tile * kTileColumns + in_tile;
      const float reference = reference_of(new_maximum(shared, parity, column));
      const uint32_t pair =
          pack_halves(exp2f(s[tile][h] - reference), exp2f(s[tile][2 + h] - reference));
      const int lane = in_tile * 4 + w.warp();
      weights[((tile * 2 + w.g() / 4) * kWarpSize + lane) * 4 + w.g() % 4] = pair;
      float sum = float_of_half(static_cast<uint16_t>(pair & 0xFFFFU)) +
                  float_of_half(static_cast<uint16_t>(pair >> 16));
      for (int distance = 4; distance < kWarpSize; distance *= 2) {
        sum += __shfl_xor_sync(kFullWarp, sum, distance);
      }
      if (w.g() == 0) shared.warp_sum[w.warp()][column] = sum;
    }
  }
}

}  // namespace vernal::cuda_sm86

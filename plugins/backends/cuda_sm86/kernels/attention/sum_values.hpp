// Sums of values by the weights of score_keys.hpp.
#pragma once

#include "kernels/attention/attend_block.hpp"
#include "kernels/attention/value_fragments.hpp"

namespace vernal::cuda_sm86 {

/// Weighted sums of a split: rows g and g + 8 are numbers of a group, columns those of a tile.
template <class Shape>
struct WeightedSums {
  float of[Shape::kGroups][2][Shape::kTiles][4];
};

/// Bits of the registers of a step whose positions the cache has. `count`: of them in the page.
__device__ __forceinline__ uint2 stored_mask(int t, int step, int count) {
  const int first = 16 * t + 4 * step;
  const auto bits = [&](int i) { return first + i < count ? 0xFFFFU : 0U; };
  return make_uint2(bits(0) | bits(2) << 16, bits(1) | bits(3) << 16);
}

/// The values of a page.
struct PageValues {
  const unsigned char* run;
  const uint2* scales;
  int count;  ///< positions that the cache has, in this page and behind it
};

/// Applies the scales to the fragments of a step. Behind the last position there is no number yet:
/// what lies there becomes 0.
template <class Values>
__device__ __forceinline__ void finish_values(uint32_t (&a)[2][4], const PageValues& page,
                                              int group, int step, int t) {
  uint2 mask = make_uint2(0xFFFFFFFFU, 0xFFFFFFFFU);
  if (page.count < kPagePositions) mask = stored_mask(t, step, page.count);
  if constexpr (Values::kHasScales) {
    const uint2 scale = page.scales[group * (kPagePositions / 4) + 4 * t + step];
    VERNAL_UNROLL
    for (int i = 0; i < 8; ++i) {
      uint32_t& pair = a[i / 4][i % 4];
      pair = multiply_halves(pair, i % 4 < 2 ? scale.x & mask.x : scale.y & mask.y);
    }
  } else {
    VERNAL_UNROLL
    for (int i = 0; i < 8; ++i) a[i / 4][i % 4] &= i % 4 < 2 ? mask.x : mask.y;
  }
}

/// sums of one group += V^T P. `words`: part 0 of the group.
template <class Values, class Shape>
__device__ __forceinline__ void add_group(float (&sums)[2][Shape::kTiles][4],
                                          typename Values::Words words, const Attention& a,
                                          const PageValues& page, int group,
                                          const AttendShared<Shape>& shared, const AttendWork& w) {
  constexpr int kSteps = kPageSteps / Values::kParts;
  VERNAL_UNROLL
  for (int step = 0; step < kPageSteps; ++step) {
    if (step > 0 && step % kSteps == 0) {
      words = Values::load(page.run, a.values.dim, group, step / kSteps, w.g(), w.t());
    }
    uint32_t fragments[2][4];
    Values::unpack(words, step % kSteps, fragments);
    finish_values<Values>(fragments, page, group, step, w.t());
    VERNAL_UNROLL
    for (int tile = 0; tile < Shape::kTiles; ++tile) {
      if (tile >= w.num_tiles) break;
      const uint2 pair =
          reinterpret_cast<const uint2*>(&shared.weights[tile][step / 2][w.lane()])[step % 2];
      const uint32_t b[2] = {pair.x, pair.y};
      multiply_f16(sums[0][tile], fragments[0], b);
      multiply_f16(sums[1][tile], fragments[1], b);
    }
  }
}

template <class Shape>
__device__ __forceinline__ void shrink_sums(WeightedSums<Shape>& sums,
                                            const AttendShared<Shape>& shared,
                                            const AttendWork& w) {
  VERNAL_UNROLL
  for (int tile = 0; tile < Shape::kTiles; ++tile) {
    if (tile >= w.num_tiles) break;
    const float low = shared.shrink[tile * kTileColumns + 2 * w.t()];
    const float high = shared.shrink[tile * kTileColumns + 2 * w.t() + 1];
    VERNAL_UNROLL
    for (int i = 0; i < Shape::kGroups * 2; ++i) {
      float(&part)[4] = sums.of[i / 2][i % 2][tile];
      part[0] *= low;
      part[1] *= high;
      part[2] *= low;
      part[3] *= high;
    }
  }
}

/// Calls put(number of y or of partials, column, sum) for each sum that a thread has.
template <class Shape, class Put>
__device__ __forceinline__ void for_each_sum(const WeightedSums<Shape>& sums, const AttendWork& w,
                                             int dim, const Put& put) {
  VERNAL_UNROLL
  for (int tile = 0; tile < Shape::kTiles; ++tile) {
    if (tile >= w.num_tiles) break;
    VERNAL_UNROLL
    for (int h = 0; h < 2; ++h) {
      const int column = tile * kTileColumns + 2 * w.t() + h;
      VERNAL_UNROLL
      for (int i = 0; i < Shape::kGroups * 4; ++i) {
        const int number = (w.warp() + i / 4 * Shape::kWarps) * kGroupNumbers + i % 4 * 8 + w.g();
        if (number >= dim) break;
        put(number, column, sums.of[i / 4][i / 2 % 2][tile][i % 2 * 2 + h]);
      }
    }
  }
}

}  // namespace vernal::cuda_sm86

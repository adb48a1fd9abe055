// The 8-bit form of 32 numbers that a warp has in registers.
#pragma once

#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

/// Writes a block of 32 columns of a row. All lanes of a warp call it, each with the number of its
/// column.
__device__ __forceinline__ void quantize_block(const ActivationBlocks& blocks, int64_t row,
                                               int64_t block, float x) {
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  // A maximum passes over NaN. A number that is not finite makes the scale NaN, so that the product
  // shows it.
  const bool is_finite = __all_sync(kFullWarp, fabsf(x) < INFINITY ? 1 : 0) != 0;
  const float scale = is_finite ? warp_max(fabsf(x)) / 127.0F : NAN;
  const int code = scale > 0.0F ? __float2int_rn(x / scale) : 0;
  ActivationTile& tile = blocks.tile(row, block);
  const int in_tile = static_cast<int>(row % kColumnTile);
  tile.codes[in_tile][place_in_block(lane)] = static_cast<int8_t>(code);
  const float sum = warp_sum(static_cast<float>(code));
  if (lane != 0) return;
  tile.scales[in_tile] = scale;
  tile.sums[in_tile] = scale * sum;
}

__device__ __forceinline__ bool is_wanted(const ActivationBlocks& blocks) {
  return blocks.tiles != nullptr;
}

/// Where row `row` of results with num_columns numbers begins in rows of blocks, which have one or more
/// of them side by side.
struct BlockPlace {
  int64_t row;
  int64_t block;
};
__device__ __forceinline__ BlockPlace block_place(const ActivationBlocks& blocks, int64_t row,
                                                  int64_t num_columns) {
  const int64_t row_blocks = num_columns / kBlockColumns;
  const int64_t side_by_side = blocks.num_blocks / row_blocks;
  return {row / side_by_side, row % side_by_side * row_blocks};
}

}  // namespace vernal::cuda_sm86

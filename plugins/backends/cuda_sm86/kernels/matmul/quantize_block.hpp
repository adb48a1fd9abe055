// The 8-bit form of 32 numbers that a warp has in registers.
#pragma once

#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

/// Writes a block. All lanes of a warp call it, each with the number of its column.
///   row     of the blocks, of num_columns columns
///   column  of the block's first number, a multiple of 32
__device__ __forceinline__ void quantize_block(const ActivationBlocks& blocks, int64_t num_columns,
                                               int64_t row, int64_t column, float x) {
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  // A maximum passes over NaN. A number that is not finite makes the scale NaN, so that the product
  // shows it.
  const bool is_finite = __all_sync(kFullWarp, fabsf(x) < INFINITY ? 1 : 0) != 0;
  const float scale = is_finite ? warp_max(fabsf(x)) / 127.0F : NAN;
  const int code = scale > 0.0F ? __float2int_rn(x / scale) : 0;
  blocks.codes[row * num_columns + column + lane] = static_cast<int8_t>(code);
  const float sum = warp_sum(static_cast<float>(code));
  if (lane != 0) return;
  const int64_t at = column / kBlockColumns * blocks.stride + row;
  blocks.scales[at] = scale;
  blocks.sums[at] = scale * sum;
}

__device__ __forceinline__ bool has_blocks(const BlockResult& result) {
  return result.blocks.codes != nullptr;
}

/// Where row `row` of results begins in the rows of blocks: results have num_columns numbers in a
/// row, a multiple of 32 that divides those of the blocks.
struct BlockPlace {
  int64_t row;
  int64_t column;
};
__device__ __forceinline__ BlockPlace block_place(const BlockResult& result, int64_t row,
                                                  int64_t num_columns) {
  const int64_t side_by_side = result.num_columns / num_columns;
  return {row / side_by_side, row % side_by_side * num_columns};
}

}  // namespace vernal::cuda_sm86

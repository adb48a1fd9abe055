// Activations as 8-bit integers, for products with quantised weights.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Numbers of a row that share a scale.
inline constexpr int kBlockColumns = 32;

/// Rows come in tiles of so many: what one product of a warp takes.
inline constexpr int kColumnTile = 8;

/// One block of eight rows: x = scale * code, rounded to nearest, scale = max|x| / 127. A warp reads
/// the codes with one load of 8 bytes a lane, lane 4 g + t those of row g and part t: they stand in
/// the order of place_in_block(). A tile is copied in pieces of 16 bytes.
struct alignas(16) ActivationTile {
  int8_t codes[kColumnTile][kBlockColumns];
  float scales[kColumnTile];
  float sums[kColumnTile];  ///< scale times the sum of the block's codes
};
static_assert(sizeof(ActivationTile) == 320);

/// Where the code of a column stands in its block. Part t of the block is columns 4t .. 4t+3 and
/// 16 + 4t .. 16 + 4t+3: what a lane holds of the second factor of multiply_s8().
__host__ __device__ constexpr int place_in_block(int column) {
  return column % 16 / 4 * 8 + column / 16 * 4 + column % 4;
}

/// Rows of K numbers in tiles. Borrowed memory. Rows behind the last one of the last tile have any
/// content.
struct ActivationBlocks {
  ActivationTile* tiles = nullptr;  ///< [rows / 8, rounded up][num_blocks]
  int32_t num_blocks = 0;           ///< K / 32

  /// The tile of a row and block of columns.
  __device__ __forceinline__ ActivationTile& tile(int64_t row, int64_t block) const {
    return tiles[row / kColumnTile * num_blocks + block];
  }
};

/// Bytes of the blocks of so many rows, and the blocks in memory that begins at `at`.
inline int64_t activation_bytes(int64_t most_rows, int64_t num_columns) {
  return (most_rows + kColumnTile - 1) / kColumnTile * (num_columns / kBlockColumns) *
         static_cast<int64_t>(sizeof(ActivationTile));
}
inline ActivationBlocks activation_blocks(void* at, int64_t num_columns) {
  return {static_cast<ActivationTile*>(at), static_cast<int32_t>(num_columns / kBlockColumns)};
}

/// Quantises rows.
struct Quantize {
  const float* x;  ///< [rows][num_columns], num_columns a multiple of 32
  ActivationBlocks blocks;
  DeviceRows rows;
  int64_t num_columns;
};
cudaError_t launch_quantize(const Quantize& quantize, int64_t most_rows, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

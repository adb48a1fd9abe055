// Activations as 8-bit integers, for products with quantised weights.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Numbers of a row that share a scale.
inline constexpr int kBlockColumns = 32;

/// Rows come in tiles of so many: what one product of a warp takes.
inline constexpr int kColumnTile = 8;

/// Rows of K numbers in blocks of 32: x = scale * code, rounded to nearest, scale = max|x| / 127.
/// Borrowed memory. `stride`, the most rows rounded up to whole tiles, separates blocks of scales,
/// so that a tile reads the scales of its rows side by side.
struct ActivationBlocks {
  int8_t* codes = nullptr;  ///< [stride][K]
  float* scales = nullptr;  ///< [K / 32][stride]
  float* sums = nullptr;    ///< [K / 32][stride]: scale times the sum of the block's codes
  int32_t stride = 0;
};

/// Bytes of the blocks of so many rows, and where they lie in memory that begins at `at`.
inline int64_t activation_bytes(int64_t most_rows, int64_t num_columns) {
  const int64_t stride = (most_rows + kColumnTile - 1) / kColumnTile * kColumnTile;
  return stride * num_columns + 2 * (num_columns / kBlockColumns) * stride * 4;
}
inline ActivationBlocks activation_blocks(void* at, int64_t most_rows, int64_t num_columns) {
  const int64_t stride = (most_rows + kColumnTile - 1) / kColumnTile * kColumnTile;
  auto* const bytes = static_cast<unsigned char*>(at);
  auto* const scales = reinterpret_cast<float*>(bytes + stride * num_columns);
  return {reinterpret_cast<int8_t*>(bytes), scales, scales + num_columns / kBlockColumns * stride,
          static_cast<int32_t>(stride)};
}

/// Where a kernel leaves its results as blocks as well. Rows of blocks may hold several rows of results,
/// side by side, for example all heads of a token.
struct BlockResult {
  ActivationBlocks blocks;  ///< null codes: none are wanted
  int64_t num_columns = 0;  ///< of a row of blocks
};

/// Quantises rows.
struct Quantize {
  const float* x;  ///< [rows][num_columns], num_columns a multiple of 32
  ActivationBlocks blocks;
  DeviceRows rows;
  int64_t num_columns;
};
cudaError_t launch_quantize(const Quantize& quantize, int64_t most_rows, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

// Two products of up to 8 rows of x and the gated unit of their results, in one launch.
//
// A block of threads has 32 rows of both matrices: 32 results of a row of x, which are a block of 8-bit
// codes for whoever multiplies them next. Each product is added up as in multiply_tiles.hpp, so the
// bits are the same.
#pragma once

#include "kernels/elementwise/functions.hpp"
#include "kernels/matmul/multiply_tiles.hpp"
#include "kernels/matmul/quantize_block.hpp"

namespace vernal::cuda_sm86 {

/// Tiles of weights of a block of threads: two of the first matrix, then two of the second.
inline constexpr int kGatedTiles = 4;

template <class Codec>
__global__ void __launch_bounds__(kMostWarps* kWarpSize) multiply_gated(MultiplyGated g) {
  VERNAL_SHARED(SharedSums<kGatedTiles>, shared);
  const Multiply& m = g.multiply;
  const int64_t first_tile = static_cast<int64_t>(blockIdx.x) * 2;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int num_columns = m.products[0].matrix.num_columns;
  const int num_warps = warps_for<Codec>(num_columns);
  const int num_tiles = static_cast<int>(tiles_of<Codec>(num_columns));
  if (warp < num_warps) {
    Sums<1> sums[kGatedTiles] = {};
    for (int k = warp; k < num_tiles; k += num_warps) {
      VERNAL_UNROLL
      for (int j = 0; j < kGatedTiles; ++j) {
        const int64_t tile = (first_tile + j % 2) * num_tiles + k;
        multiply_tile<Codec>(sums[j], m.products[j / 2].matrix.data + tile * tile_bytes<Codec>(),
                             m.blocks, 0, k * (Codec::kColumns / kBlockColumns),
                             num_columns / kBlockColumns, lane);
      }
    }
    for (int j = 0; j < kGatedTiles; ++j) {
      for (int r = 0; r < 4; ++r) shared.of[warp][j][r][lane] = sums[j].of[0][r];
    }
  }
  __syncthreads();
  // A warp for each row of x, a lane for each result.
  const int row = warp;
  if (row >= m.rows.count()) return;
  const int64_t n = first_tile * kTileRows + lane;
  const int tile = lane / kTileRows;
  const int output = lane % kTileRows;
  const float gate = output_of<Codec>(shared, num_warps, m.products[0], tile, row, output, row, n);
  const float up =
      output_of<Codec>(shared, num_warps, m.products[1], 2 + tile, row, output, row, n);
  const float y = gated(g.unit.kind, gate, up, g.unit.alpha, g.unit.limit);
  if (g.unit.y != nullptr) g.unit.y[row * g.unit.num_columns + n] = y;
  if (!has_blocks(g.unit.result)) return;
  quantize_block(g.unit.result.blocks, g.unit.result.num_columns, row, n - lane, y);
}

template <class Codec>
cudaError_t launch_multiply_gated(const MultiplyGated& gated, const LaunchSize& size) {
  const unsigned grid = static_cast<unsigned>(gated.multiply.num_tiles) / kGatedTiles;
  return launch(size.stream, grid, kMostWarps * kWarpSize, multiply_gated<Codec>, gated);
}

}  // namespace vernal::cuda_sm86

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

/// The sums of a block of threads: of two tiles of the first matrix, then of two of the second.
struct GatedSums {
  SharedSums<1> of[4];
};

/// Results as a warp has them: a lane for each, of row `row` of x.
template <class Codec>
__device__ __forceinline__ float gated_output(const SharedSums<1> (&tiles)[4], int first,
                                              const Product& p, int num_parts, int row, int64_t n) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const SharedSums<1>& tile = tiles[first + lane / kTileRows];
  return output_of<Codec>(p, row, n, sum_of_parts(tile, num_parts, lane % kTileRows, row));
}

template <class Codec>
__global__ void __launch_bounds__(kMostParts* kWarpSize, 2) multiply_gated(MultiplyGated g) {
  VERNAL_SHARED(GatedSums, shared);
  const Multiply& m = g.multiply;
  VERNAL_NO_UNROLL
  for (int j = 0; j < 4; ++j) {
    const int warp = warp_of_block();
    const int lane = static_cast<int>(threadIdx.x) - warp * kWarpSize;
    const DeviceMatrix& matrix = m.products[j / 2].matrix;
    const int num_tiles = static_cast<int>(tiles_of<Codec>(matrix.num_columns));
    const int64_t tile = (static_cast<int64_t>(blockIdx.x) * 2 + j % 2) * num_tiles;
    const Sums<1> sums = multiply_part<Codec, 1>(matrix.data + tile * tile_bytes<Codec>(), m.blocks,
                                                 0, m.rows.count(), num_tiles, warp, lane);
    // The thread's place is found anew, so that it takes no register in the loop.
    auto& part = shared.of[j].of[warp_of_block()][0];
    for (int r = 0; r < 4; ++r) part[r][threadIdx.x % kWarpSize] = sums.of[0][r];
  }
  __syncthreads();
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int num_rows = static_cast<int>(m.rows.count());
  const int num_parts = static_cast<int>(blockDim.x) / kWarpSize;
  const int64_t n = static_cast<int64_t>(blockIdx.x) * 2 * kTileRows + lane;
  VERNAL_NO_UNROLL
  for (int row = warp_of_block(); row < num_rows; row += num_parts) {
    const float gate = gated_output<Codec>(shared.of, 0, m.products[0], num_parts, row, n);
    const float up = gated_output<Codec>(shared.of, 2, m.products[1], num_parts, row, n);
    const float y = gated(g.unit.kind, gate, up, g.unit.alpha, g.unit.limit);
    if (g.unit.y != nullptr) g.unit.y[row * g.unit.num_columns + n] = y;
    if (is_wanted(g.unit.result)) quantize_block(g.unit.result, row, n / kBlockColumns, y);
  }
}

template <class Codec>
cudaError_t launch_multiply_gated(const MultiplyGated& gated, const LaunchSize& size) {
  const unsigned grid = static_cast<unsigned>(gated.multiply.num_tiles) / 4;
  const auto threads =
      static_cast<unsigned>(kWarpSize * parts_of(tiles_of<Codec>(gated.multiply.num_columns())));
  return launch(size.stream, grid, threads, multiply_gated<Codec>, gated);
}

}  // namespace vernal::cuda_sm86

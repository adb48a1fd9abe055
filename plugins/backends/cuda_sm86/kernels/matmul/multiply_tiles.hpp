// The product of quantised weights with quantised activations, for any codec and number of rows.
//
// A block of threads has one tile of 16 weight rows (16 outputs) and up to 64 rows of x. Its warps
// share the tiles along K: warp w takes every num_warps-th tile, adds up in f32, and the sums of the
// warps are added in order. So the bits of an output depend on its row of x and on the weights
// alone, whatever else is in the step.
#pragma once

#include "kernels/matmul/finish_output.hpp"
#include "kernels/matmul/formats/codecs.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kMostWarps = 8;

/// The sums of one warp for a tile of 16 outputs and 8 kTiles rows of x, as fragments.
template <int kTiles>
struct Sums {
  float of[kTiles][4];
};

/// The activations that a lane multiplies with in one block of 32 columns.
struct ActivationPart {
  uint32_t codes[2];
  float2 scales;  ///< of rows 2t and 2t + 1
  float2 sums;
};

template <class Codec>
__device__ __forceinline__ ActivationPart load_activations(const ActivationBlocks& blocks,
                                                           int64_t num_columns, int64_t first_row,
                                                           int64_t block, int lane) {
  const int g = lane / 4;
  const int t = lane % 4;
  ActivationPart out;
  const int8_t* const codes = blocks.codes + (first_row + g) * num_columns + block * kBlockColumns;
  if constexpr (Codec::kHasHalves) {
    out.codes[0] = *reinterpret_cast<const uint32_t*>(codes + 4 * t);
    out.codes[1] = *reinterpret_cast<const uint32_t*>(codes + 16 + 4 * t);
  } else {
    const uint2 both = *reinterpret_cast<const uint2*>(codes + 8 * t);
    out.codes[0] = both.x;
    out.codes[1] = both.y;
  }
  const int64_t at = block * blocks.stride + first_row + 2 * t;
  out.scales = *reinterpret_cast<const float2*>(blocks.scales + at);
  if constexpr (Codec::kHasMinimum) {
    out.sums = *reinterpret_cast<const float2*>(blocks.sums + at);
  }
  return out;
}

/// sums += scale * product, with one scale for each row of weights and row of x.
__device__ __forceinline__ void add_scaled(float (&sums)[4], const int32_t (&product)[4],
                                           RowPair scale, float2 x_scales) {
  sums[0] += static_cast<float>(product[0]) * (scale.low * x_scales.x);
  sums[1] += static_cast<float>(product[1]) * (scale.low * x_scales.y);
  sums[2] += static_cast<float>(product[2]) * (scale.high * x_scales.x);
  sums[3] += static_cast<float>(product[3]) * (scale.high * x_scales.y);
}

/// The products of one block of 32 columns. `group`: the block in its tile.
template <class Codec>
__device__ __forceinline__ void multiply_block(float (&sums)[4], const uint32_t (&a)[4],
                                               const ActivationPart& x,
                                               const typename Codec::Scales& scales, int group) {
  if constexpr (Codec::kHasHalves) {
    for (int half = 0; half < 2; ++half) {
      int32_t product[4] = {0, 0, 0, 0};
      multiply_s8_half(product, a[2 * half], a[2 * half + 1], x.codes[half]);
      add_scaled(sums, product, Codec::scale(scales, 2 * group + half), x.scales);
      if constexpr (Codec::kHasMinimum) {
        // Blocks of x know the sum of 32 codes. That of 16 is a product with ones.
        int32_t sum[4] = {0, 0, 0, 0};
        multiply_s8_half(sum, 0x01010101U, 0x01010101U, x.codes[half]);
        add_scaled(sums, sum, Codec::minimum(scales, 2 * group + half), x.scales);
      }
    }
  } else {
    int32_t product[4] = {0, 0, 0, 0};
    multiply_s8(product, a, x.codes);
    add_scaled(sums, product, Codec::scale(scales, group), x.scales);
  }
  if constexpr (Codec::kHasMinimum && !Codec::kHasHalves) {
    const RowPair minimum = Codec::minimum(scales, group);
    sums[0] += minimum.low * x.sums.x;
    sums[1] += minimum.low * x.sums.y;
    sums[2] += minimum.high * x.sums.x;
    sums[3] += minimum.high * x.sums.y;
  }
}

/// Adds the products of one tile of weights.
///   first_row    of x;  first_block: the tile's first block of 32 columns, of num_blocks
template <class Codec, int kTiles>
__device__ __forceinline__ void multiply_tile(Sums<kTiles>& sums, const unsigned char* tile,
                                              const ActivationBlocks& blocks, int64_t first_row,
                                              int first_block, int num_blocks, int lane) {
  const typename Codec::Scales scales = Codec::load_scales(tile, lane / 4);
  const unsigned char* const codes = tile + Codec::kScaleBytes;
  VERNAL_UNROLL
  for (int chunk = 0; chunk < Codec::kColumns / kChunkColumns; ++chunk) {
    const typename Codec::Codes::Chunk loaded = Codec::Codes::load(codes, lane, chunk);
    VERNAL_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int group = 2 * chunk + half;
      // Rows of blocks of 32 may end in the middle of a tile. All lanes agree.
      if (first_block + group >= num_blocks) break;
      uint32_t a[4];
      Codec::unpack(loaded, half, a);
      VERNAL_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        const ActivationPart x =
            load_activations<Codec>(blocks, int64_t{num_blocks} * kBlockColumns,
                                    first_row + i * kColumnTile, first_block + group, lane);
        multiply_block<Codec>(sums.of[i], a, x, scales, group);
      }
    }
  }
}

/// What the warps hand each other: [warp][tile of x][register][lane].
template <int kTiles>
struct SharedSums {
  float of[kMostWarps][kTiles][4][kWarpSize];
};

/// An output, from the sums of the warps.
///   tile    of x, and the row in it;  output  of 16, number n of the matrix
template <class Codec, int kTiles>
__device__ __forceinline__ float output_of(const SharedSums<kTiles>& shared, int num_warps,
                                           const Product& p, int tile, int in_tile, int output,
                                           int64_t row, int64_t n) {
  const int lane = output % 8 * 4 + in_tile / 2;
  const int part = output / 8 * 2 + in_tile % 2;
  float sum = 0.0F;
  for (int w = 0; w < num_warps; ++w) sum += shared.of[w][tile][part][lane];
  if constexpr (Codec::kHasRowScales) sum *= p.matrix.row_scales[n];
  return finish_output(p, row, n, sum);
}

/// Adds up the warps' sums and writes the outputs of a block of threads: tile number `tile` of a
/// matrix.
template <class Codec, int kTiles>
__device__ __forceinline__ void write_outputs(const SharedSums<kTiles>& shared, int num_warps,
                                              const Product& p, int64_t tile, int64_t first_row,
                                              int64_t num_rows) {
  for (int i = static_cast<int>(threadIdx.x); i < kTiles * kColumnTile * kTileRows;
       i += static_cast<int>(blockDim.x)) {
    const int output = i % kTileRows;
    const int column = i / kTileRows;
    const int64_t row = first_row + column;
    const int64_t n = tile * kTileRows + output;
    if (row >= num_rows || n >= p.matrix.num_rows) continue;
    p.y[row * p.matrix.num_rows + n] = output_of<Codec>(shared, num_warps, p, column / kColumnTile,
                                                        column % kColumnTile, output, row, n);
  }
}

template <class Codec>
__host__ __device__ constexpr int64_t tile_bytes() {
  return Codec::kScaleBytes + Codec::Codes::kBytes;
}

template <class Codec>
__host__ __device__ constexpr int64_t tiles_of(int64_t num_columns) {
  return (num_columns + Codec::kColumns - 1) / Codec::kColumns;
}

/// How many warps share the tiles along K. It fixes the order of the additions.
template <class Codec>
__host__ __device__ constexpr int warps_for(int64_t num_columns) {
  const int64_t num_tiles = tiles_of<Codec>(num_columns);
  return static_cast<int>(num_tiles < kMostWarps ? num_tiles : kMostWarps);
}

/// The outputs of a block of threads: 16 rows of p's matrix, and kTiles tiles of x from first_row. All
/// threads call it; those of more warps than share the work only wait.
template <class Codec, int kTiles>
__device__ __forceinline__ void multiply_rows(const Multiply& m, const Product& p,
                                              int64_t first_row, int64_t num_rows,
                                              SharedSums<kTiles>& shared) {
  const int64_t tile = static_cast<int64_t>(blockIdx.x) - p.first_tile;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int num_warps = warps_for<Codec>(p.matrix.num_columns);
  const int num_tiles = static_cast<int>(tiles_of<Codec>(p.matrix.num_columns));
  const unsigned char* const tiles = p.matrix.data + tile * num_tiles * tile_bytes<Codec>();
  if (warp < num_warps) {
    Sums<kTiles> sums{};
    for (int k = warp; k < num_tiles; k += num_warps) {
      multiply_tile<Codec>(sums, tiles + k * tile_bytes<Codec>(), m.blocks, first_row,
                           k * (Codec::kColumns / kBlockColumns),
                           p.matrix.num_columns / kBlockColumns, lane);
    }
    for (int i = 0; i < kTiles; ++i) {
      for (int r = 0; r < 4; ++r) shared.of[warp][i][r][lane] = sums.of[i][r];
    }
  }
  __syncthreads();
  write_outputs<Codec, kTiles>(shared, num_warps, p, tile, first_row, num_rows);
}

template <class Codec, int kTiles>
__global__ void __launch_bounds__(kMostWarps* kWarpSize) multiply_tiles(Multiply m) {
  VERNAL_SHARED(SharedSums<kTiles>, shared);
  const int64_t num_rows = m.rows.count();
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTiles * kColumnTile;
  if (first_row >= num_rows) return;
  const Product p = product_of(m, static_cast<int>(blockIdx.x), first_row);
  multiply_rows<Codec, kTiles>(m, p, first_row, num_rows, shared);
}

template <class Codec>
cudaError_t launch_multiply(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const auto threads = static_cast<unsigned>(kWarpSize * warps_for<Codec>(m.num_columns()));
  const auto put = [&](auto kernel, int64_t rows_of_block) {
    const dim3 grid(static_cast<unsigned>(m.num_tiles), blocks_for(most_rows, rows_of_block));
    return launch(size.stream, grid, threads, kernel, m);
  };
  if (most_rows <= kColumnTile || m.tile_experts != nullptr) {
    return put(multiply_tiles<Codec, 1>, kColumnTile);
  }
  if (most_rows <= 4 * kColumnTile) return put(multiply_tiles<Codec, 4>, 4 * kColumnTile);
  return put(multiply_tiles<Codec, 8>, 8 * kColumnTile);
}

}  // namespace vernal::cuda_sm86

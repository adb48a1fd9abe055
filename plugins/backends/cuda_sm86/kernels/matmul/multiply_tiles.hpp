// The product of quantised weights with few rows of activations: reading the weights is all that
// takes time.
//
// A block of threads has one tile of 16 weight rows (16 outputs) and up to 32 rows of x. Its warps
// share the tiles along K: warp w has part w of each sum (tile_products.hpp), and the parts are added
// in order. So the bits of an output depend on its row of x and on the weights alone, whatever else
// is in the step.
#pragma once

#include "kernels/matmul/tile_products.hpp"

namespace vernal::cuda_sm86 {

/// Most rows of x that a block of threads takes.
inline constexpr int kMostFewRows = 32;

/// A tile of weights as a lane holds it.
template <class Codec>
struct LoadedTile {
  Chunk<Codec::Codes::kWords> chunks[Codec::Codes::kChunks];
  typename Codec::Codes::Plane plane;
  typename Codec::Scales scales;
};

/// Where a lane reads a tile.
template <class Codec>
__device__ __forceinline__ const unsigned char* codes_of(const unsigned char* tile, int lane) {
  return tile + Codec::kScaleBytes + lane * kLaneBytes;
}

template <class Codec>
__device__ __forceinline__ LoadedTile<Codec> load_tile(const unsigned char* tile, int lane) {
  const unsigned char* const codes = codes_of<Codec>(tile, lane);
  LoadedTile<Codec> out;
  VERNAL_UNROLL
  for (int i = 0; i < Codec::Codes::kChunks; ++i) {
    out.chunks[i] = load_chunk<Codec::Codes::kWords>(codes, i);
  }
  out.plane = Codec::Codes::load_plane(codes);
  out.scales = Codec::load_scales(tile, lane / 4);
  return out;
}

/// Where a lane reads kTiles tiles of activations, at the first block of a tile of weights.
template <int kTiles>
struct ActivationPlaces {
  const unsigned char* codes[kTiles];
  const unsigned char* numbers[kTiles];

  __device__ __forceinline__ ActivationPlaces(const ActivationBlocks& blocks, int64_t first_row,
                                              int64_t num_rows, int lane) {
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      // Behind the last row stands the last one, so that nothing more is read.
      const int64_t tile = first_row / kColumnTile + i;
      const int64_t last_tile = (num_rows - 1) / kColumnTile;
      const int64_t here = tile < last_tile ? tile : last_tile;
      const int last_row = static_cast<int>(num_rows - 1 - here * kColumnTile);
      const int row = lane / 4 < last_row ? lane / 4 : last_row;
      const ActivationTile* const begin = blocks.tiles + here * blocks.num_blocks;
      codes[i] = activation_codes(begin, row, lane);
      numbers[i] = activation_numbers(begin, lane);
    }
  }
  __device__ __forceinline__ void advance(int64_t num_blocks) {
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      codes[i] += num_blocks * static_cast<int64_t>(sizeof(ActivationTile));
      numbers[i] += num_blocks * static_cast<int64_t>(sizeof(ActivationTile));
    }
  }
};

/// The sums of one warp for a tile of 16 outputs and 8 kTiles rows of x, as fragments.
template <int kTiles>
struct Sums {
  float of[kTiles][4];
};

/// Adds the products of a tile of weights. If there is a next one, each chunk of it is loaded as soon
/// as that of this one is taken apart, into the same registers: all loads of a tile are always under
/// way.
///   num_blocks  of 32 columns that the row has from this tile on
template <class Codec, int kTiles, bool kHasNext>
__device__ __forceinline__ void multiply_tile(Sums<kTiles>& sums, LoadedTile<Codec>& tile,
                                              const typename Codec::Codes::Table& table,
                                              const ActivationPlaces<kTiles>& x, int num_blocks,
                                              const unsigned char* next, int lane) {
  using Codes = typename Codec::Codes;
  const typename Codec::Scales scales = tile.scales;
  const typename Codes::Plane plane = tile.plane;
  const unsigned char* const next_codes = codes_of<Codec>(next, lane);
  if constexpr (kHasNext) {
    tile.scales = Codec::load_scales(next, lane / 4);
    tile.plane = Codes::load_plane(next_codes);
  }
  VERNAL_UNROLL
  for (int group = 0; group < Codec::kColumns / kBlockColumns; ++group) {
    uint32_t a[4];
    Codec::unpack(tile.chunks[group / 2], plane, scales, table, group, a);
    if constexpr (kHasNext) {
      if (group % 2 == 1) {
        tile.chunks[group / 2] = load_chunk<Codes::kWords>(next_codes, group / 2);
      }
    }
    // Rows of blocks of 32 may end in the middle of the last tile. All lanes agree.
    if (!kHasNext && Codec::kRawColumns < Codec::kColumns && group >= num_blocks) continue;
    const BlockScales<Codec> of_block = block_scales<Codec>(scales, group);
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      constexpr int kBytes = static_cast<int>(sizeof(ActivationTile));
      multiply_block<Codec>(
          sums.of[i], a,
          load_activations<Codec>(x.codes[i] + group * kBytes, x.numbers[i] + group * kBytes),
          of_block);
    }
  }
}

/// The part of the sums that a warp has. `tiles`: the tiles of 16 rows of weights.
template <class Codec, int kTiles>
__device__ __forceinline__ Sums<kTiles> multiply_part(const unsigned char* tiles,
                                                      const ActivationBlocks& blocks,
                                                      int64_t first_row, int64_t num_rows,
                                                      int num_tiles, int part, int lane) {
  constexpr int kBlocks = Codec::kColumns / kBlockColumns;
  const int num_parts = parts_of(num_tiles);
  Sums<kTiles> sums{};
  const unsigned char* at = tiles + part * tile_bytes<Codec>();
  ActivationPlaces<kTiles> x(blocks, first_row, num_rows, lane);
  x.advance(part * kBlocks);
  const typename Codec::Codes::Table table = Codec::Codes::table();
  LoadedTile<Codec> tile = load_tile<Codec>(at, lane);
  int k = part;
  for (; k + num_parts < num_tiles; k += num_parts) {
    at += num_parts * tile_bytes<Codec>();
    multiply_tile<Codec, kTiles, true>(sums, tile, table, x, kBlocks, at, lane);
    x.advance(num_parts * kBlocks);
  }
  multiply_tile<Codec, kTiles, false>(sums, tile, table, x, blocks.num_blocks - k * kBlocks, at,
                                      lane);
  return sums;
}

/// What the warps hand each other: [warp][tile of x][register][lane].
template <int kTiles>
struct SharedSums {
  float of[kMostParts][kTiles][4][kWarpSize];
};

/// The sum of the parts for output `output` of 16 and row `column` of the rows of x.
template <int kTiles>
__device__ __forceinline__ float sum_of_parts(const SharedSums<kTiles>& shared, int num_parts,
                                              int output, int column) {
  const int in_tile = column % kColumnTile;
  const int lane = output % 8 * 4 + in_tile / 2;
  const int part = output / 8 * 2 + in_tile % 2;
  float sum = 0.0F;
  for (int w = 0; w < num_parts; ++w) {
    sum = __fadd_rn(sum, shared.of[w][column / kColumnTile][part][lane]);
  }
  return sum;
}

/// Adds up the parts and writes the outputs of a block of threads: tile number `tile` of a matrix.
template <class Codec, int kTiles>
__device__ __forceinline__ void write_outputs(const SharedSums<kTiles>& shared, const Product& p,
                                              int64_t tile, int64_t first_row, int64_t num_rows,
                                              int num_parts) {
  for (int i = static_cast<int>(threadIdx.x); i < kTiles * kColumnTile * kTileRows;
       i += static_cast<int>(blockDim.x)) {
    const int output = i % kTileRows;
    const int column = i / kTileRows;
    const int64_t row = first_row + column;
    const int64_t n = tile * kTileRows + output;
    if (row >= num_rows || n >= p.matrix.num_rows) continue;
    write_output<Codec>(p, row, n, sum_of_parts(shared, num_parts, output, column));
  }
}

/// Blocks of threads that a multiprocessor has registers for at a time, without spills. The more, the
/// more loads are under way.
template <class Codec, int kTiles>
__host__ __device__ constexpr int blocks_at_a_time() {
  if (kTiles > 1) return 1;
  return sizeof(LoadedTile<Codec>) <= 112 ? 3 : 2;
}

/// The outputs of a block of threads: 16 rows of the matrix of product `number`, and kTiles tiles of x
/// from first_row. All threads call it.
///   kSomeWait  there may be more warps than parts
template <class Codec, int kTiles, bool kSomeWait>
__device__ __forceinline__ void multiply_rows(const Multiply& m, int number, int64_t first_row,
                                              int64_t num_rows, SharedSums<kTiles>& shared) {
  const DeviceMatrix matrix = product_at(m, number, first_row).matrix;
  const int64_t tile = static_cast<int64_t>(blockIdx.x) - m.products[number].first_tile;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int warp = warp_of_block();
  const int num_tiles = static_cast<int>(tiles_of<Codec>(matrix.num_columns));
  if (!kSomeWait || warp < parts_of(num_tiles)) {
    const Sums<kTiles> sums =
        multiply_part<Codec, kTiles>(matrix.data + tile * num_tiles * tile_bytes<Codec>(), m.blocks,
                                     first_row, num_rows, num_tiles, warp, lane);
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      VERNAL_UNROLL
      for (int r = 0; r < 4; ++r) shared.of[warp][i][r][lane] = sums.of[i][r];
    }
  }
  __syncthreads();
  // All that outputs need is found anew, so that it takes no register in the loop. The shuffle hides
  // from the compiler that it is the same.
  const int block = __shfl_sync(kFullWarp, static_cast<int>(blockIdx.x), 0);
  const Product p = product_of(m, block, first_row);
  write_outputs<Codec, kTiles>(shared, p, block - p.first_tile, first_row, m.rows.count(),
                               parts_of(tiles_of<Codec>(p.matrix.num_columns)));
}

/// Blocks of threads are (tile of 16 outputs, 8 kTiles rows of x), with a warp for each part.
template <class Codec, int kTiles>
__global__ void __launch_bounds__(kMostParts* kWarpSize, (blocks_at_a_time<Codec, kTiles>()))
    multiply_tiles(Multiply m) {
  VERNAL_SHARED(SharedSums<kTiles>, shared);
  const int64_t num_rows = m.rows.count();
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTiles * kColumnTile;
  if (first_row >= num_rows) return;
  const int number = product_number(m, static_cast<int>(blockIdx.x));
  multiply_rows<Codec, kTiles, false>(m, number, first_row, num_rows, shared);
}

template <class Codec>
cudaError_t launch_multiply_few(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const auto threads =
      static_cast<unsigned>(kWarpSize * parts_of(tiles_of<Codec>(m.num_columns())));
  const auto put = [&](auto kernel, int64_t rows_of_block) {
    const dim3 grid(static_cast<unsigned>(m.num_tiles), blocks_for(most_rows, rows_of_block));
    return launch(size.stream, grid, threads, kernel, m);
  };
  if (most_rows <= kColumnTile || m.tile_experts != nullptr) {
    return put(multiply_tiles<Codec, 1>, kColumnTile);
  }
  return put(multiply_tiles<Codec, 4>, kMostFewRows);
}

}  // namespace vernal::cuda_sm86

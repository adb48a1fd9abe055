// The product of quantised weights with many rows of activations: tensor cores are to be kept busy.
//
// A block of threads has 64 outputs and 64 rows of x: each of its four warps has a tile of 16
// weight rows, and all of them read the same activations. K goes by in chunks of 64 columns, which
// are copied to shared memory some chunks ahead of their use; so each byte of weights and
// activations is read from memory once for 64 rows or 64 outputs. Blocks of the same outputs stand
// side by side in the grid, for the second cache to keep their weights.
//
// Sums are those of the kernel for few rows, to the bit: a warp takes the tiles of part 0 of K, then
// those of part 1, and adds each part to the total when it is complete (tile_products.hpp).
//
// Shared memory has no bank conflicts: a lane reads 16 bytes of weights and 8 bytes of activations
// behind those of the lane before it, and the scales of a tile are two rows for each t, the same in
// all lanes of it.
#pragma once

#include "kernels/matmul/multiply_tiles.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kStagedWarps = 4;
inline constexpr int kStagedTiles = 8;  ///< of 8 rows of x
inline constexpr int kStagedThreads = kStagedWarps * kWarpSize;
inline constexpr int kChunkBlocks = kChunkColumns / kBlockColumns;

/// A chunk of K in shared memory.
template <class Codec>
struct Stage {
  uint4 weights[kStagedWarps][Codec::Codes::kWords][kWarpSize];
  ActivationTile x[kStagedTiles][kChunkBlocks];
};

/// As many as there is room for.
template <class Codec>
struct Stages {
  static constexpr int kCount = Codec::Codes::kWords == 1 ? 4 : 3;
  Stage<Codec> of[kCount];
};

/// Goes through the tiles along K in the order of the additions: 0, 8, 16, ..., then 1, 9, ...
struct TileWalk {
  int num_tiles;
  int part = 0;
  int tile = 0;

  __device__ __forceinline__ bool is_done() const { return part == parts_of(num_tiles); }
  __device__ __forceinline__ void advance() {
    tile += parts_of(num_tiles);
    if (tile >= num_tiles) tile = ++part;
  }
};

/// The same by chunks.
template <class Codec>
struct ChunkWalk {
  TileWalk at;
  int chunk = 0;  ///< of the tile

  __device__ __forceinline__ int block() const {
    return at.tile * (Codec::kColumns / kBlockColumns) + chunk * kChunkBlocks;
  }
  __device__ __forceinline__ void advance() {
    if (++chunk < Codec::Codes::kChunks) return;
    chunk = 0;
    at.advance();
  }
};

/// What a thread copies of each chunk: its lane's words of the warp's weights, and pieces of 16 bytes
/// of two tiles of activations, warp w those of tiles w and w + 4.
template <class Codec>
struct ChunkCopies {
  static constexpr int kTileBytes = static_cast<int>(sizeof(ActivationTile));
  static constexpr int kBytesAtOnce = kWarpSize * 16;
  static constexpr int kTiles = kStagedTiles / kStagedWarps;

  const unsigned char* codes;      ///< of the lane, in the first tile of weights
  const unsigned char* x[kTiles];  ///< of the lane, in the first tile of activations
  int num_blocks;

  __device__ __forceinline__ ChunkCopies(const unsigned char* tiles, const ActivationBlocks& blocks,
                                         int64_t first_row, int64_t num_rows)
      : codes(codes_of<Codec>(tiles, static_cast<int>(threadIdx.x) % kWarpSize)),
        num_blocks(blocks.num_blocks) {
    const int64_t last = (num_rows - 1) / kColumnTile;
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      const int64_t wanted = first_row / kColumnTile + threadIdx.x / kWarpSize + i * kStagedWarps;
      const int64_t there = wanted < last ? wanted : last;
      x[i] = reinterpret_cast<const unsigned char*>(blocks.tiles + there * num_blocks) +
             threadIdx.x % kWarpSize * 16;
    }
  }

  __device__ __forceinline__ void start(Stage<Codec>& stage, const ChunkWalk<Codec>& at) const {
    constexpr int kWords = Codec::Codes::kWords;
    const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
    const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
    const unsigned char* const chunk =
        codes + at.at.tile * tile_bytes<Codec>() + at.chunk * kWords * kWordBytes;
    VERNAL_UNROLL
    for (int i = 0; i < kWords; ++i) {
      copy_async(&stage.weights[warp][i][lane], chunk + i * kWordBytes);
    }
    // Rows of blocks of 32 may end in the middle of a chunk.
    const int left = (num_blocks - at.block()) * kTileBytes;
    const int bytes = left < kChunkBlocks * kTileBytes ? left : kChunkBlocks * kTileBytes;
    VERNAL_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      auto* const to =
          reinterpret_cast<unsigned char*>(stage.x[warp + i * kStagedWarps]) + lane * 16;
      const unsigned char* const from = x[i] + static_cast<int64_t>(at.block()) * kTileBytes;
      VERNAL_UNROLL
      for (int piece = 0; piece < kChunkBlocks * kTileBytes; piece += kBytesAtOnce) {
        if (piece + lane * 16 < bytes) copy_async(to + piece, from + piece);
      }
    }
  }
};

/// What a warp adds up: the complete parts, and the one at hand.
struct StagedSums {
  float total[kStagedTiles][4];
  float part[kStagedTiles][4];

  __device__ __forceinline__ void end_part() {
    VERNAL_UNROLL
    for (int i = 0; i < kStagedTiles; ++i) {
      VERNAL_UNROLL
      for (int r = 0; r < 4; ++r) {
        total[i][r] = __fadd_rn(total[i][r], part[i][r]);
        part[i][r] = 0.0F;
      }
    }
  }
};

/// Scales and upper bits of a tile of weights; its codes come by way of shared memory.
template <class Codec>
struct TileHead {
  typename Codec::Codes::Plane plane;
  typename Codec::Scales scales;

  __device__ __forceinline__ void load(const unsigned char* tile, int lane) {
    scales = Codec::load_scales(tile, lane / 4);
    plane = Codec::Codes::load_plane(codes_of<Codec>(tile, lane));
  }
};

/// Adds the products of a chunk. `chunk`: its number in the tile; num_blocks: of 32 columns that the
/// row has from the tile on.
template <class Codec>
__device__ __forceinline__ void multiply_chunk(StagedSums& sums, const Stage<Codec>& stage,
                                               const TileHead<Codec>& head,
                                               const typename Codec::Codes::Table& table, int chunk,
                                               int num_blocks) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  Chunk<Codec::Codes::kWords> words;
  VERNAL_UNROLL
  for (int i = 0; i < Codec::Codes::kWords; ++i) words.words[i] = stage.weights[warp][i][lane];
  VERNAL_UNROLL
  for (int block = 0; block < kChunkBlocks; ++block) {
    const int group = chunk * kChunkBlocks + block;
    if (Codec::kRawColumns < Codec::kColumns && group >= num_blocks) continue;
    uint32_t a[4];
    Codec::unpack(words, head.plane, head.scales, table, group, a);
    const BlockScales<Codec> scales = block_scales<Codec>(head.scales, group);
    VERNAL_UNROLL
    for (int i = 0; i < kStagedTiles; ++i) {
      const ActivationTile* const x = &stage.x[i][block];
      multiply_block<Codec>(
          sums.part[i], a,
          load_activations<Codec>(activation_codes(x, lane / 4, lane), activation_numbers(x, lane)),
          scales);
    }
  }
}

/// The copies under way: a ring of stages, filled one chunk after another.
template <class Codec>
struct ChunkPipeline {
  static constexpr int kStages = Stages<Codec>::kCount;
  Stages<Codec>& stages;
  const ChunkCopies<Codec>& copies;
  ChunkWalk<Codec> ahead;  ///< the next chunk to copy
  int stage = 0;           ///< the next one to read

  __device__ __forceinline__ void start_next(int into) {
    if (!ahead.at.is_done()) {
      copies.start(stages.of[into], ahead);
      ahead.advance();
    }
    commit_copies();
  }
  __device__ __forceinline__ void begin() {
    for (int i = 0; i + 1 < kStages; ++i) start_next(i);
  }
  /// The next chunk. All threads of the block call it; then nobody reads the one before any more, and
  /// another one is copied in its place.
  __device__ __forceinline__ const Stage<Codec>& next() {
    wait_copies<kStages - 2>();
    __syncthreads();
    start_next(stage == 0 ? kStages - 1 : stage - 1);
    const Stage<Codec>& out = stages.of[stage];
    stage = stage + 1 == kStages ? 0 : stage + 1;
    return out;
  }
};

/// The sums of a warp over all of K. All warps of the block call it. `tiles`: the warp's weights.
template <class Codec>
__device__ __forceinline__ StagedSums multiply_all_chunks(Stages<Codec>& stages,
                                                          const ChunkCopies<Codec>& copies,
                                                          const unsigned char* tiles,
                                                          int num_tiles) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const typename Codec::Codes::Table table = Codec::Codes::table();
  ChunkPipeline<Codec> chunks{stages, copies, {{num_tiles}}};
  chunks.begin();
  StagedSums sums{};
  for (TileWalk at{num_tiles}; !at.is_done();) {
    TileWalk following = at;
    following.advance();
    TileHead<Codec> head;
    head.load(tiles + at.tile * tile_bytes<Codec>(), lane);
    const int num_blocks = copies.num_blocks - at.tile * (Codec::kColumns / kBlockColumns);
    VERNAL_UNROLL
    for (int chunk = 0; chunk < Codec::Codes::kChunks; ++chunk) {
      multiply_chunk<Codec>(sums, chunks.next(), head, table, chunk, num_blocks);
    }
    if (following.part != at.part) sums.end_part();
    at = following;
  }
  return sums;
}

/// Blocks of threads are (64 rows of x, 64 outputs). The more of them a multiprocessor has registers
/// for, the less waiting shows.
template <class Codec>
__global__ void __launch_bounds__(kStagedThreads, Codec::kHasMinimum ? 2 : 3)
    multiply_staged(Multiply m) {
  VERNAL_SHARED(Stages<Codec>, stages);
  const int64_t num_rows = m.rows.count();
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * kStagedTiles * kColumnTile;
  if (first_row >= num_rows) return;
  const int wanted = static_cast<int>(blockIdx.y) * kStagedWarps + warp_of_block();
  // Warps behind the last tile of weights do what the last one does, and write nothing.
  const int tile = wanted < m.num_tiles ? wanted : m.num_tiles - 1;
  const Product p = product_of(m, tile, first_row);
  const int num_tiles = static_cast<int>(tiles_of<Codec>(p.matrix.num_columns));
  const unsigned char* const tiles =
      p.matrix.data + static_cast<int64_t>(tile - p.first_tile) * num_tiles * tile_bytes<Codec>();
  const ChunkCopies<Codec> copies(tiles, m.blocks, first_row, num_rows);
  const StagedSums sums = multiply_all_chunks<Codec>(stages, copies, tiles, num_tiles);
  if (wanted >= m.num_tiles) return;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  VERNAL_UNROLL
  for (int i = 0; i < kStagedTiles; ++i) {
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      const int64_t row = first_row + i * kColumnTile + lane % 4 * 2 + r % 2;
      const int64_t n =
          static_cast<int64_t>(tile - p.first_tile) * kTileRows + lane / 4 + r / 2 * 8;
      if (row < num_rows && n < p.matrix.num_rows) {
        write_output<Codec>(p, row, n, sums.total[i][r]);
      }
    }
  }
}

template <class Codec>
cudaError_t launch_multiply_staged(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const dim3 grid(blocks_for(most_rows, kStagedTiles * kColumnTile),
                  blocks_for(m.num_tiles, kStagedWarps));
  return launch(size.stream, grid, kStagedThreads, multiply_staged<Codec>, m);
}

/// Any number of rows.
template <class Codec>
cudaError_t launch_multiply(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const bool is_staged = most_rows > kMostFewRows && m.tile_experts == nullptr;
  return (is_staged ? launch_multiply_staged<Codec> : launch_multiply_few<Codec>)(m, most_rows,
                                                                                  size);
}

}  // namespace vernal::cuda_sm86

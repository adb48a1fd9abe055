// Tiles from rows as files have them, and rows of a table that stays as in the file.
#pragma once

#include "kernels/matmul/multiply_gated.hpp"
#include "kernels/matmul/multiply_staged.hpp"

namespace vernal::cuda_sm86 {

/// A row of the file, or null for a row behind the last one: its weights are zero.
template <class Codec>
__device__ __forceinline__ const unsigned char* stored_row(const Repack& r, int row) {
  const int64_t bytes = Codec::kRawHeader +
                        static_cast<int64_t>(r.num_columns / Codec::kRawColumns) * Codec::kRawBytes;
  return row < r.num_rows ? r.stored + row * bytes : nullptr;
}

/// The code of a weight, zero behind the last row or column.
template <class Codec>
__device__ __forceinline__ uint32_t stored_code(const Repack& r, const unsigned char* row,
                                                int64_t column) {
  if (row == nullptr || column >= r.num_columns) return 0;
  const unsigned char* const block =
      row + Codec::kRawHeader + column / Codec::kRawColumns * Codec::kRawBytes;
  return Codec::raw_code(block, static_cast<int>(column % Codec::kRawColumns));
}

/// A warp for each tile: lanes write the codes, then 16 of them the scales.
template <class Codec>
__global__ void repack_tiles(Repack r) {
  const int lane = static_cast<int>(threadIdx.x);
  const int num_tiles = static_cast<int>(gridDim.x);
  const int first_row = static_cast<int>(blockIdx.y) * kTileRows;
  const int64_t first_column = static_cast<int64_t>(blockIdx.x) * Codec::kColumns;
  const int64_t tile_row = r.first_row / kTileRows + static_cast<int64_t>(blockIdx.y);
  unsigned char* const tile = r.tiles + (tile_row * num_tiles + blockIdx.x) * tile_bytes<Codec>();
  for (int block = 0; block < Codec::kColumns / kBlockColumns; ++block) {
    Codec::Codes::pack(tile + Codec::kScaleBytes + lane * kLaneBytes, block, [&](int reg, int j) {
      const unsigned char* const row = stored_row<Codec>(r, first_row + lane / 4 + reg % 2 * 8);
      const int column = column_in_block(lane % 4, reg, j);
      return stored_code<Codec>(r, row, first_column + block * kBlockColumns + column);
    });
  }
  // Rows behind the last one have no scales.
  for (int i = lane; i < Codec::kScaleBytes; i += kWarpSize) tile[i] = 0;
  __syncwarp();
  if (lane >= kTileRows) return;
  const unsigned char* const row = stored_row<Codec>(r, first_row + lane);
  if (row == nullptr) return;
  const int64_t first_block = first_column / Codec::kRawColumns;
  const int64_t left = r.num_columns / Codec::kRawColumns - first_block;
  Codec::pack_scales(tile, lane, row + Codec::kRawHeader + first_block * Codec::kRawBytes,
                     left < 2 ? 1 : 2);
  if constexpr (Codec::kHasRowScales) {
    if (blockIdx.x == 0) r.row_scales[r.first_row + first_row + lane] = raw_f32(row);
  }
}

template <class Codec>
cudaError_t launch_repack(const Repack& repack, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(tiles_of<Codec>(repack.num_columns)),
                  blocks_for(repack.num_rows, kTileRows));
  return launch(stream, grid, kWarpSize, repack_tiles<Codec>, repack);
}

template <class Codec>
__global__ void embed_tokens(Embed e) {
  const int token = static_cast<int>(blockIdx.x);
  if (token >= e.counts->num_tokens) return;
  const unsigned char* const row = e.table + e.ids[token] * e.row_bytes;
  float* const y = e.y + static_cast<int64_t>(token) * e.num_columns;
  for (int column = static_cast<int>(threadIdx.x); column < e.num_columns;
       column += static_cast<int>(blockDim.x)) {
    const unsigned char* const block =
        row + Codec::kRawHeader +
        static_cast<int64_t>(column / Codec::kRawColumns) * Codec::kRawBytes;
    y[column] = e.scale * Codec::raw_value(row, block, column % Codec::kRawColumns);
  }
}

template <class Codec>
cudaError_t launch_embed(const Embed& embed, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), 128, embed_tokens<Codec>, embed);
}

template <class Codec>
int64_t row_tile_bytes(int64_t num_columns) {
  return tiles_of<Codec>(num_columns) * tile_bytes<Codec>();
}

/// The kernels of a codec.
template <class Codec>
constexpr MatrixKernels quantised_kernels(MatrixCodec codec) {
  return {row_tile_bytes<Codec>,
          Codec::kHasRowScales,
          launch_multiply<Codec>,
          launch_repack<Codec>,
          launch_embed<Codec>,
          launch_multiply_gated<Codec>,
          codec};
}

}  // namespace vernal::cuda_sm86

// How a matrix of quantised weights lies on the device: tiles that a warp multiplies as they are.
//
// A tile is 16 rows of 64 or 256 columns, as many bytes as the file has for them. The codes stand in
// the order of the fragments of multiply_s8(): one block of 32 columns gives each lane four
// registers of four codes. Lane l is g = l / 4, t = l % 4; registers 0 and 2 belong to row g,
// registers 1 and 3 to row g + 8; registers 0 and 1 are columns 4t .. 4t+3 of the block, registers 2
// and 3 columns 16 + 4t .. 16 + 4t+3. So each half of a block is a product of its own, for formats
// with scales for 16 columns. Scales stand in front of the codes, row by row.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kTileRows = 16;

/// Columns that are loaded at a time: two blocks.
inline constexpr int kChunkColumns = 64;

/// The column in its block of 32 of byte j of register r, for lane part t.
__host__ __device__ constexpr int column_in_block(int t, int r, int j) {
  return r / 2 * 16 + 4 * t + j;
}

/// The number that each of rows g and g + 8 multiplies its sum with.
struct RowPair {
  float low;
  float high;
};

__device__ __forceinline__ uint16_t u16_at(const unsigned char* at) {
  return *reinterpret_cast<const uint16_t*>(at);
}
__device__ __forceinline__ uint32_t u32_at(const unsigned char* at) {
  return *reinterpret_cast<const uint32_t*>(at);
}

}  // namespace vernal::cuda_sm86

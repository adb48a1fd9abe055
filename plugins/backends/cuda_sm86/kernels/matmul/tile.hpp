// How a matrix of quantised weights lies on the device: tiles that a warp multiplies as they are.
//
// A tile is 16 rows of 64 or 256 columns, as many bytes as the file has for them. The codes stand in
// the order of the fragments of multiply_s8(): one block of 32 columns gives each lane four
// registers of four codes. Lane l is g = l / 4, t = l % 4; registers 0 and 2 belong to row g,
// registers 1 and 3 to row g + 8. The columns of a lane are
//   scales for 32 columns   8t .. 8t+7 of the block: a register pair is eight columns side by side
//   scales for 16 columns   4t .. 4t+3 of each half, so that a half is a product of its own
// Sums do not depend on the order of columns as long as activations are read in the same one.
// Scales stand in front of the codes, row by row, as in the file.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kTileRows = 16;

/// Columns that are loaded at a time: two blocks.
inline constexpr int kChunkColumns = 64;

/// The column in its block of 32 of byte j of register r, for lane part t.
__host__ __device__ constexpr int column_in_block(bool has_halves, int t, int r, int j) {
  return has_halves ? r / 2 * 16 + 4 * t + j : 8 * t + r / 2 * 4 + j;
}

/// The number that each of rows g and g + 8 multiplies its sum with.
struct RowPair {
  float low;
  float high;
};

/// Four unsigned bytes, each below 128, less `offset`, at most 127, in each.
__device__ __forceinline__ uint32_t subtract_from_bytes(uint32_t bytes, uint32_t offset) {
  return ((bytes | 0x80808080U) - offset * 0x01010101U) ^ 0x80808080U;
}

/// Bit i of `bits`, i < 4, as bit `shift` of byte i.
__device__ __forceinline__ uint32_t spread_bits(uint32_t bits, int shift) {
  return ((bits & 15U) * 0x00204081U & 0x01010101U) << shift;
}

__device__ __forceinline__ uint16_t u16_at(const unsigned char* at) {
  return *reinterpret_cast<const uint16_t*>(at);
}
__device__ __forceinline__ uint32_t u32_at(const unsigned char* at) {
  return *reinterpret_cast<const uint32_t*>(at);
}

}  // namespace vernal::cuda_sm86

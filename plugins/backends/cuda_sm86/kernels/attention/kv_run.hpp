// Layout of keys and values in a page of 64 positions. kv_numbers.hpp reads and writes them.
//
//   page of one state   per head: a run of keys, then a run of values (shared/state/kv_layout.hpp)
//   keys     position by position: f16 [64][dim], q8_0 [64][dim] i8, q4_0 [64][dim / 32][16] bytes;
//            scales [64][dim / 32] f16
//   values   number by number: f16 [dim][64], q8_0 [dim][64] i8, q4_0 [dim / 32][16][64] bytes;
//            scales [dim / 32][64] f16
//   a byte of q4_0 has number j of its group in the low half, number j + 16 in the high half
// So a score reads a key from front to back, and a weighted sum reads one number of all positions.
// No two positions share a byte.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kPagePositions = 64;
inline constexpr int kGroupNumbers = 32;  ///< that share a scale

enum class RunFormat : unsigned char { kF16, kQ8_0, kQ4_0 };

/// The keys or the values of one head in each page.
struct KvRun {
  RunFormat format;
  int32_t dim;
  int32_t rotation;   ///< numbers that are rotated together, 0: none
  int64_t at;         ///< bytes from the start of the page, head 0
  int64_t scales_at;  ///< bytes from the start of the run; 0 for f16
};

}  // namespace vernal::cuda_sm86

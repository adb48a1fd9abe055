// Layout of keys and values in a page of 64 positions: the order in which the lanes of a warp hold
// them as factors of multiply_f16(). Lane l is g = l / 4, t = l % 4; a group is 32 numbers of a head.
//
//   page of one state   per head: a run of keys, then a run of values (shared/state/kv_layout.hpp)
//   run                 codes or f16 numbers, then scales
//   keys     position by position. A lane has the numbers 4t .. 4t+3 and 16 + 4t .. 16 + 4t+3 of a
//            group, and as many groups side by side as fill 16 bytes:
//              q4_0 [64][dim / 128][t][4 groups][4 bytes]: low half 4t + j, high half 16 + 4t + j
//              q8_0 [64][dim / 64][t][2 groups][8] i8;  f16 [64][dim / 32][t][8]
//            fewer groups at the end of a row stand closer together. What an f16 row has beyond
//            its last whole group comes behind all rows, [64][dim % 32]
//   values   number by number, each at 64 positions. A lane has the positions 16t .. 16t+15:
//              q4_0 [dim / 32][16][64] bytes: number j in the low half, 16 + j in the high half
//              q8_0 [dim][64] i8;  f16 [dim][2][t][8]
//   scales   [dim / 32][64] f16, of keys and values alike
// Where numbers are wider than a byte, and in scales, four neighbours stand as 0, 2, 1, 3: 0 and 2
// make a register, for a word of four bytes comes apart into its even and its odd bytes. No two
// positions share a byte.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kPagePositions = 64;
inline constexpr int kGroupNumbers = 32;                ///< that share a scale
inline constexpr int kPageSteps = kPagePositions / 16;  ///< of products with values

enum class RunFormat : unsigned char { kF16, kQ8_0, kQ4_0 };
inline constexpr int kNumRunFormats = 3;

/// The keys or the values of one head in each page.
struct KvRun {
  RunFormat format;
  int32_t dim;
  int32_t rotation;   ///< numbers that are rotated together, 0: none
  int64_t at;         ///< bytes from the start of the page, head 0
  int64_t scales_at;  ///< bytes from the start of the run; 0 for f16
};

/// Where in its four a number stands: 0, 2, 1, 3.
__host__ __device__ constexpr int in_four(int i) { return (i & 1) * 2 + (i >> 1 & 1); }

/// The index of the number at `i`, below 32, in the order of a group of keys: the eight of lane
/// part 0, then those of 1, 2 and 3.
__host__ __device__ constexpr int in_group(int i) {
  return i % 16 / 4 * 8 + i / 16 * 4 + in_four(i % 4);
}

/// Bytes from the start of a run of keys to number `i` of a position. q4_0: the low half of the byte
/// if i % 32 < 16, else the high half.
__host__ __device__ constexpr int64_t key_at(RunFormat format, int dim, int position, int i) {
  const int group = i / kGroupNumbers;
  const int groups = dim / kGroupNumbers;
  if (format == RunFormat::kF16) {
    if (group == groups) {
      const int rest = dim % kGroupNumbers;
      return 2 * (int64_t{kPagePositions} * (dim - rest) + position * rest + i % kGroupNumbers);
    }
    return 2 * (int64_t{position} * groups + group) * kGroupNumbers + 2 * in_group(i % 32);
  }
  // Groups side by side: `per_lane` of them, each with so many bytes for a lane.
  const int bytes = format == RunFormat::kQ4_0 ? 4 : 8;
  const int most = 16 / bytes;
  const int first = group / most * most;
  const int per_lane = groups - first < most ? groups - first : most;
  const int64_t row = int64_t{position} * groups * 4 * bytes + first * 4 * bytes;
  const int part = i % 16 / 4;
  const int in_lane = bytes == 4 ? i % 4 : in_group(i % 32) % 8;
  return row + (part * per_lane + group - first) * bytes + in_lane;
}

/// The same for values.
__host__ __device__ constexpr int64_t value_at(RunFormat format, int position, int i) {
  if (format == RunFormat::kF16) {
    const int half = position / 8 % 2;  // of the 16 positions of a lane
    const int at = half * 32 + position / 16 * 8 + position % 8 / 4 * 4 + in_four(position % 4);
    return 2 * (int64_t{i} * kPagePositions + at);
  }
  if (format == RunFormat::kQ8_0) return int64_t{i} * kPagePositions + position;
  return int64_t{i / kGroupNumbers * 16 + i % 16} * kPagePositions + position;
}

/// The index of the scale of a group at a position.
__host__ __device__ constexpr int scale_at(int group, int position) {
  return group * kPagePositions + position / 4 * 4 + in_four(position % 4);
}

}  // namespace vernal::cuda_sm86

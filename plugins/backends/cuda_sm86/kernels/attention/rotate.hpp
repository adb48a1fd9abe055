// The Hadamard rotation of rows (sdk/spec/operations.md, attention/1).
#pragma once

#include "kernels/attention/kv_run.hpp"

namespace vernal::cuda_sm86 {

/// y = H x in blocks of run.rotation numbers, in place: y_i = sum over j of (-1)^popcount(i & j)
/// x_j / sqrt(block). `row` is shared memory. Thread `index` of `count` that share the row calls it;
/// synchronize() is their barrier. They have had one since the row was filled, and may read it after
/// this returns.
template <class Synchronize>
__device__ __forceinline__ void rotate_row(const KvRun& run, float* row, int index, int count,
                                           const Synchronize& synchronize) {
  if (run.rotation == 0) return;
  for (int half = 1; half < run.rotation; half *= 2) {
    for (int i = index; i < run.dim / 2; i += count) {
      const int low = (i & ~(half - 1)) * 2 + (i & (half - 1));  // half is a power of two
      const float a = row[low];
      const float b = row[low + half];
      row[low] = a + b;
      row[low + half] = a - b;
    }
    synchronize();
  }
  const float norm = 1.0F / sqrtf(static_cast<float>(run.rotation));
  for (int i = index; i < run.dim; i += count) row[i] *= norm;
  synchronize();
}

/// The same by all threads of the block.
__device__ __forceinline__ void rotate_row(const KvRun& run, float* row) {
  rotate_row(run, row, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
             [] { __syncthreads(); });
}
/// The same by the lanes of a warp.
__device__ __forceinline__ void rotate_row_of_warp(const KvRun& run, float* row, int lane) {
  rotate_row(run, row, lane, kWarpSize, [] { __syncwarp(); });
}

}  // namespace vernal::cuda_sm86

// Sums and maxima over the lanes of a warp and the threads of a block. The order of the additions
// depends on nothing but the number of threads, so that results have the same bits every time.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

/// The sum over the warp, in every lane.
__device__ __forceinline__ float warp_sum(float x) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(kFullWarp, x, distance);
  }
  return x;
}

__device__ __forceinline__ float warp_max(float x) {
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(kFullWarp, x, distance));
  }
  return x;
}

/// Shared memory of block_sum().
template <int kThreads>
struct BlockSums {
  float of_warp[kThreads / kWarpSize];
};

/// The sum over a block of kThreads, in every thread. Nothing else uses `partial` until the next
/// barrier.
template <int kThreads>
__device__ __forceinline__ float block_sum(float x, BlockSums<kThreads>& partial) {
  x = warp_sum(x);
  if constexpr (kThreads > kWarpSize) {
    if (threadIdx.x % kWarpSize == 0) partial.of_warp[threadIdx.x / kWarpSize] = x;
    __syncthreads();
    x = 0.0F;
    for (int i = 0; i < kThreads / kWarpSize; ++i) x += partial.of_warp[i];
  }
  return x;
}

}  // namespace vernal::cuda_sm86

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

/// The sums over the warp of eight numbers of each lane. Lane l gets the sum of number l / 4.
__device__ __forceinline__ float warp_sums(const float (&x)[8]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  // Half of the lanes keep the upper half of what is left, and give the lower half away.
  float four[4];
  for (int i = 0; i < 4; ++i) {
    const bool is_upper = (lane & 16) != 0;
    const float given = is_upper ? x[i] : x[i + 4];
    four[i] = (is_upper ? x[i + 4] : x[i]) + __shfl_xor_sync(kFullWarp, given, 16);
  }
  float two[2];
  for (int i = 0; i < 2; ++i) {
    const bool is_upper = (lane & 8) != 0;
    const float given = is_upper ? four[i] : four[i + 2];
    two[i] = (is_upper ? four[i + 2] : four[i]) + __shfl_xor_sync(kFullWarp, given, 8);
  }
  const bool is_upper = (lane & 4) != 0;
  const float given = is_upper ? two[0] : two[1];
  float one = (is_upper ? two[1] : two[0]) + __shfl_xor_sync(kFullWarp, given, 4);
  one += __shfl_xor_sync(kFullWarp, one, 2);
  return one + __shfl_xor_sync(kFullWarp, one, 1);
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

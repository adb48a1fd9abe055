#include "faulty_kernels.hpp"

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {
namespace {

struct alignas(16) Numbers {
  float of[kFaultyThreads];
};
struct Large {
  float of[12 * 1024 + 1];
};

__device__ __forceinline__ int own_number() { return static_cast<int>(threadIdx.x); }

__global__ void read_before_write(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  const int t = own_number();
  numbers.of[t] = values[t];
  out[t] = numbers.of[kFaultyThreads - 1 - t];
}

__global__ void write_after_read(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  const int t = own_number();
  float sum = 0.0F;
  for (int round = 0; round < 3; ++round) {
    numbers.of[t] = values[t] + static_cast<float>(round);
    __syncthreads();
    sum += numbers.of[kFaultyThreads - 1 - t];
  }
  out[t] = sum;
}

__global__ void no_warp_barrier(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  const int t = own_number();
  numbers.of[t] = values[t];
  out[t] = numbers.of[t ^ 1];
}

__global__ void divergent_shuffle(const float* values, float* out) {
  const int t = own_number();
  if (t % kWarpSize < 16) {
    out[t] = __shfl_xor_sync(kFullWarp, values[t], 1);
  }
}

__global__ void two_shuffles(const float* values, float* out) {
  const int t = own_number();
  if (t % 2 == 0) {
    out[t] = __shfl_xor_sync(kFullWarp, values[t], 1);
  } else {
    out[t] = __shfl_xor_sync(kFullWarp, values[t], 1);
  }
}

__global__ void foreign_lane(const float* values, float* out) {
  const int t = own_number();
  if (t % kWarpSize < 16) {
    out[t] = __shfl_xor_sync(0x0000FFFFU, values[t], 16);
  }
}

__global__ void foreign_mask(const float* values, float* out) {
  const int t = own_number();
  out[t] = __shfl_xor_sync(0x0000FFFFU, values[t], 1);
}

__global__ void skipped_barrier(const float* values, float* out) {
  const int t = own_number();
  if (t != 3) {
    __syncthreads();
  }
  out[t] = values[t];
}

__global__ void two_barriers(const float* values, float* out) {
  const int t = own_number();
  if (t < kWarpSize) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[t] = values[t];
}

// The index comes from memory, so that no compiler sees what it is.
__global__ void shared_overrun(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  const int t = own_number();
  numbers.of[t + static_cast<int>(values[0])] = 1.0F;
  __syncthreads();
  out[t] = numbers.of[t];
}

__global__ void too_much_shared(const float* values, float* out) {
#if !defined(__CUDACC__)  // ptxas finds this one itself
  VERNAL_SHARED(Large, large);
  large.of[own_number()] = values[0];
#endif
  out[own_number()] = values[0];
}

__global__ void overrun(const float* values, float* out) {
  const int t = own_number();
  out[t + static_cast<int>(values[0])] = 1.0F;
}

__global__ void far_overrun(const float* values, float* out) {
  out[own_number() + 1024 * static_cast<int>(values[0])] = 1.0F;
}

__global__ void uninitialised(const float* values, float* out) {
  out[own_number()] += values[own_number()];
}

__global__ void uninitialised_shared(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  out[own_number()] = numbers.of[own_number()] + values[0];
}

__global__ void trap(const float* values, float* out) {
  const int t = own_number();
  out[t] = values[t];
  if (t == 40) {
    __trap();
  }
}

__global__ void misaligned_load(const float* values, float* out) {
  const uint4 loaded = load_once(reinterpret_cast<const uint4*>(values + 1));
  out[own_number()] = __uint_as_float(loaded.x);
}

__global__ void copy_past_shared(const float* values, float* out) {
  VERNAL_SHARED(Numbers, numbers);
  const int t = own_number();
  copy_async(&numbers.of[4 * t], values);  // a quarter of the threads would do
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  out[t] = numbers.of[t];
}

__device__ float deep(const float* values, int level) {
  float numbers[64];
  for (int i = 0; i < 64; ++i) {
    numbers[i] = values[i] + static_cast<float>(level);
  }
  const float below = level < 1000000 ? deep(numbers, level + 1) : 0.0F;
  return below + numbers[level % 64];
}

__global__ void deep_stack(const float* values, float* out) { out[own_number()] = deep(values, 0); }

using Kernel = void (*)(const float*, float*);

Kernel kernel_of(FaultyKernel kernel) {
  switch (kernel) {
    case FaultyKernel::kReadBeforeWrite:
      return read_before_write;
    case FaultyKernel::kWriteAfterRead:
      return write_after_read;
    case FaultyKernel::kNoWarpBarrier:
      return no_warp_barrier;
    case FaultyKernel::kDivergentShuffle:
      return divergent_shuffle;
    case FaultyKernel::kTwoShuffles:
      return two_shuffles;
    case FaultyKernel::kForeignLane:
      return foreign_lane;
    case FaultyKernel::kForeignMask:
      return foreign_mask;
    case FaultyKernel::kSkippedBarrier:
      return skipped_barrier;
    case FaultyKernel::kTwoBarriers:
      return two_barriers;
    case FaultyKernel::kSharedOverrun:
      return shared_overrun;
    case FaultyKernel::kTooMuchShared:
      return too_much_shared;
    case FaultyKernel::kOverrun:
      return overrun;
    case FaultyKernel::kFarOverrun:
      return far_overrun;
    case FaultyKernel::kUninitialised:
      return uninitialised;
    case FaultyKernel::kUninitialisedShared:
      return uninitialised_shared;
    case FaultyKernel::kTrap:
      return trap;
    case FaultyKernel::kMisalignedLoad:
      return misaligned_load;
    case FaultyKernel::kCopyPastShared:
      return copy_past_shared;
    case FaultyKernel::kDeepStack:
      return deep_stack;
  }
  return nullptr;
}

}  // namespace

cudaError_t faulty_kernel(cudaStream_t stream, FaultyKernel kernel, const float* values,
                          float* out) {
  return launch(stream, dim3(1), dim3(kFaultyThreads), kernel_of(kernel), values, out);
}

}  // namespace vernal::cuda_sm86

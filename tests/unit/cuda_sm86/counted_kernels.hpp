// Kernels that are compiled with access hooks, for the test of what the emulator counts.
#pragma once

#include "emulator/include/cuda_runtime_api.h"

namespace vernal::cuda_sm86 {

/// Every block adds up all of `numbers` and writes the sum to sums[block].
cudaError_t counted_sums(cudaStream_t stream, const float* numbers, int count, float* sums,
                         int blocks);
/// One block reads every `stride`th number of `numbers` twice.
cudaError_t counted_stride(cudaStream_t stream, const float* numbers, int count, int stride,
                           float* sum);
/// One block copies the first 512 bytes to shared memory asynchronously.
cudaError_t counted_copies(cudaStream_t stream, const float* numbers);

}  // namespace vernal::cuda_sm86

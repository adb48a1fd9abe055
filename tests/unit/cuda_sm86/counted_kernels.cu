#include "counted_kernels.hpp"

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

namespace {

__global__ void sums_of_blocks(const float* numbers, int count, float* sums) {
  float sum = 0.0F;
  for (int i = 0; i < count; ++i) sum += numbers[i];
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

__global__ void strided_sum(const float* numbers, int count, int stride, float* sum) {
  float total = 0.0F;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < count; i += stride) total += numbers[i];
    __syncthreads();
  }
  if (threadIdx.x == 0) *sum = total;
}

struct Pieces {
  uint4 of[kWarpSize];
};

__global__ void copied(const float* numbers) {
  VERNAL_SHARED(Pieces, pieces);
  copy_async(&pieces.of[threadIdx.x], numbers + 4 * threadIdx.x);
  commit_copies();
  wait_copies<0>();
}

}  // namespace

cudaError_t counted_sums(cudaStream_t stream, const float* numbers, int count, float* sums,
                         int blocks) {
  return launch(stream, static_cast<unsigned>(blocks), kWarpSize, sums_of_blocks, numbers, count,
                sums);
}
cudaError_t counted_stride(cudaStream_t stream, const float* numbers, int count, int stride,
                           float* sum) {
  return launch(stream, 1, kWarpSize, strided_sum, numbers, count, stride, sum);
}
cudaError_t counted_copies(cudaStream_t stream, const float* numbers) {
  return launch(stream, 1, kWarpSize, copied, numbers);
}

}  // namespace vernal::cuda_sm86

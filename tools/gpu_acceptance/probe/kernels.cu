// The instructions that the backend's kernels are made of, one by one, and a read of much memory.
#include "probe/kernels.hpp"

#include "kernels/device.hpp"

namespace vernal::probe {

using namespace cuda_sm86;  // NOLINT(google-build-using-namespace): its language

namespace {

constexpr int kThreads = 256;

template <class T>
__device__ uint32_t word_of(const T* at) {
  return *reinterpret_cast<const uint32_t*>(at);
}

// Lane l is g = l / 4, t = l % 4: kernels/device.hpp.
__global__ void multiply(Products p) {
  const int g = static_cast<int>(threadIdx.x) / 4;
  const int t = static_cast<int>(threadIdx.x) % 4;
  const uint8_t* const row = p.a8 + g * 32 + t * 4;
  const uint32_t a8[4] = {word_of(row), word_of(row + 8 * 32), word_of(row + 16),
                          word_of(row + 8 * 32 + 16)};
  const uint8_t* const column = p.b8 + g * 32 + t * 4;
  const uint32_t b8[2] = {word_of(column), word_of(column + 16)};
  const uint16_t* const row16 = p.a16 + g * 16 + t * 2;
  const uint32_t a16[4] = {word_of(row16), word_of(row16 + 8 * 16), word_of(row16 + 8),
                           word_of(row16 + 8 * 16 + 8)};
  const uint16_t* const column16 = p.b16 + g * 16 + t * 2;
  const uint32_t b16[2] = {word_of(column16), word_of(column16 + 8)};
  int32_t full[4] = {};
  int32_t half[4] = {};
  float floats[4] = {};
  multiply_s8(full, a8, b8);
  multiply_s8_half(half, a8[0], a8[1], b8[0]);
  multiply_f16(floats, a16, b16);
  for (int i = 0; i < 4; ++i) {
    const int at = (g + i / 2 * 8) * 8 + t * 2 + i % 2;
    p.full[at] = full[i];
    p.half[at] = half[i];
    p.floats[at] = floats[i];
  }
}

__global__ void convert_halves(float* floats, uint16_t* halves) {
  const auto i = blockIdx.x * blockDim.x + threadIdx.x;
  floats[i] = float_of_half(static_cast<uint16_t>(i));
  halves[i] = half_of_float(floats[i]);
}

__global__ void round_floats(const float* floats, int count, uint16_t* halves, int32_t* integers) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    halves[i] = half_of_float(floats[i]);
    integers[i] = __float2int_rn(floats[i]);
  }
}

__global__ void pick_bytes(uint32_t low, uint32_t high, const uint32_t* selectors, int count,
                           uint32_t* out) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    out[i] = permute_bytes(kept(low), high, selectors[i]);
  }
}

__global__ void ask_lanes(int32_t* out) {
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = 0; i < 5; ++i) {
    out[lane * 6 + i] = __shfl_xor_sync(kFullWarp, lane, 1 << i);
  }
  const int all_below_31 = __all_sync(kFullWarp, lane < 31 ? 1 : 0);
  const int all_below_32 = __all_sync(kFullWarp, lane < 32 ? 1 : 0);
  out[lane * 6 + 5] = all_below_31 + 2 * all_below_32;
}

struct Stages {
  uint4 first[kThreads * 2];
  uint4 second[kThreads * 2];
};

__global__ void copy_in_groups(const uint4* from, uint4* to) {
  VERNAL_SHARED(Stages, stages);
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < kThreads * 2; i += kThreads) copy_async(&stages.first[i], &from[i]);
  commit_copies();
  for (int i = thread; i < kThreads * 2; i += kThreads) {
    copy_async(&stages.second[i], &from[kThreads * 2 + i]);
  }
  commit_copies();
  wait_copies<1>();
  __syncthreads();
  for (int i = thread; i < kThreads * 2; i += kThreads) {
    to[i] = stages.first[kThreads * 2 - 1 - i];
  }
  wait_copies<0>();
  __syncthreads();
  for (int i = thread; i < kThreads * 2; i += kThreads) {
    to[kThreads * 2 + i] = stages.second[kThreads * 2 - 1 - i];
  }
}

// Eight loads in flight for each thread.
__global__ void __launch_bounds__(kThreads)
    read_all(const uint4* from, uint64_t count, uint32_t* sum) {
  constexpr int kAtOnce = 8;
  const uint64_t stride = static_cast<uint64_t>(gridDim.x) * kThreads;
  uint32_t found = 0;
  for (uint64_t i = static_cast<uint64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += stride * kAtOnce) {
    uint4 words[kAtOnce] = {};
    VERNAL_UNROLL
    for (int k = 0; k < kAtOnce; ++k) {
      if (i + k * stride < count) words[k] = load_once(from + i + k * stride);
    }
    VERNAL_UNROLL
    for (int k = 0; k < kAtOnce; ++k) found += words[k].x ^ words[k].y ^ words[k].z ^ words[k].w;
  }
  if (found == 0x9E3779B9U) *sum = found;  // nobody knows that it is another number
}

}  // namespace

cudaError_t launch_products(cudaStream_t stream, const Products& products) {
  return launch(stream, dim3(1), dim3(kWarpSize), multiply, products);
}

cudaError_t launch_halves(cudaStream_t stream, float* floats, std::uint16_t* halves) {
  return launch(stream, dim3(65536 / kThreads), dim3(kThreads), convert_halves, floats, halves);
}

cudaError_t launch_rounding(cudaStream_t stream, const float* floats, int count,
                            std::uint16_t* halves, std::int32_t* integers) {
  return launch(stream, dim3(1), dim3(kThreads), round_floats, floats, count, halves, integers);
}

cudaError_t launch_bytes(cudaStream_t stream, std::uint32_t low, std::uint32_t high,
                         const std::uint32_t* selectors, int count, std::uint32_t* out) {
  return launch(stream, dim3(1), dim3(kThreads), pick_bytes, low, high, selectors, count, out);
}

cudaError_t launch_lanes(cudaStream_t stream, std::int32_t* out) {
  return launch(stream, dim3(1), dim3(kWarpSize), ask_lanes, out);
}

cudaError_t launch_copies(cudaStream_t stream, const std::uint32_t* from, std::uint32_t* to) {
  return launch(stream, dim3(1), dim3(kThreads), copy_in_groups,
                reinterpret_cast<const uint4*>(from), reinterpret_cast<uint4*>(to));
}

cudaError_t launch_read(cudaStream_t stream, const void* from, std::uint64_t num_bytes,
                        int num_blocks, std::uint32_t* sum) {
  return launch(stream, dim3(static_cast<unsigned>(num_blocks)), dim3(kThreads), read_all,
                static_cast<const uint4*>(from), num_bytes / sizeof(uint4), sum);
}

}  // namespace vernal::probe

#include "sample_kernels.hpp"

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {
namespace {

// ---- a matrix times a vector. A warp computes a row.

constexpr int kMatvecThreads = 128;

__device__ __forceinline__ int dot16(const uint4& a, const uint4& b, int sum) {
  sum = __dp4a(static_cast<int>(a.x), static_cast<int>(b.x), sum);
  sum = __dp4a(static_cast<int>(a.y), static_cast<int>(b.y), sum);
  sum = __dp4a(static_cast<int>(a.z), static_cast<int>(b.z), sum);
  return __dp4a(static_cast<int>(a.w), static_cast<int>(b.w), sum);
}

__global__ void __launch_bounds__(kMatvecThreads)
    matvec_kernel(const uint4* __restrict__ weights, const uint4* __restrict__ vector,
                  int32_t* __restrict__ out, int rows, int parts) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int row = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) / kWarpSize;
  if (row >= rows) {
    return;  // all lanes of the warp
  }
  int sum = 0;
  for (int part = lane; part < parts; part += kWarpSize) {
    sum = dot16(load_once(weights + static_cast<int64_t>(row) * parts + part), vector[part], sum);
  }
  for (int step = kWarpSize / 2; step > 0; step /= 2) {
    sum += __shfl_xor_sync(kFullWarp, sum, step);
  }
  if (lane == 0) {
    out[row] = sum;
  }
}

// ---- a matrix times a matrix. Each of four warps computes 16 rows and 64 columns of a tile.

constexpr int kProductThreads = 128;
constexpr int kTile = 64;              // rows, columns and depth, in numbers
constexpr int kWords = kTile / 4;      // of a row, with four numbers each
constexpr int kRowWords = kWords + 4;  // keeps rows 16-byte aligned and on different banks

struct alignas(16) Stage {
  uint32_t a[kTile][kRowWords];
  uint32_t b[kTile][kRowWords];
};
struct Stages {
  Stage at[2];
};

struct ProductSizes {
  int n;
  int words;  // of a row of a and b
};

// Starts to copy a tile of both factors and ends the group.
__device__ __forceinline__ void start_stage(Stage& stage, const uint32_t* a, const uint32_t* b,
                                            int words) {
  for (int chunk = static_cast<int>(threadIdx.x); chunk < kTile * kWords / 4;
       chunk += kProductThreads) {
    const int row = chunk / (kWords / 4);
    const int word = chunk % (kWords / 4) * 4;
    copy_async(&stage.a[row][word], a + row * words + word);
    copy_async(&stage.b[row][word], b + row * words + word);
  }
  commit_copies();
}

__device__ __forceinline__ void multiply_stage(const Stage& stage, int32_t (&sums)[kTile / 8][4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int row = static_cast<int>(threadIdx.x) / kWarpSize * 16 + lane / 4;
  for (int word = lane % 4; word < kWords; word += 8) {
    const uint32_t a[4] = {stage.a[row][word], stage.a[row + 8][word], stage.a[row][word + 4],
                           stage.a[row + 8][word + 4]};
    for (int j = 0; j < kTile / 8; ++j) {
      const uint32_t* const column = stage.b[8 * j + lane / 4];
      const uint32_t b[2] = {column[word], column[word + 4]};
      multiply_s8(sums[j], a, b);
    }
  }
}

template <ProductMistake kMistake>
__global__ void __launch_bounds__(kProductThreads)
    product_kernel(const uint32_t* __restrict__ a, const uint32_t* __restrict__ b,
                   int32_t* __restrict__ c, ProductSizes sizes) {
  VERNAL_SHARED(Stages, stages);
  const int first_row = static_cast<int>(blockIdx.y) * kTile;
  const int first_column = static_cast<int>(blockIdx.x) * kTile;
  const uint32_t* const rows = a + static_cast<int64_t>(first_row) * sizes.words;
  const uint32_t* const columns = b + static_cast<int64_t>(first_column) * sizes.words;
  const int steps = sizes.words / kWords;
  int32_t sums[kTile / 8][4] = {};

  start_stage(stages.at[0], rows, columns, sizes.words);
  for (int step = 0; step < steps; ++step) {
    const bool has_next = step + 1 < steps;
    if (has_next) {
      start_stage(stages.at[(step + 1) % 2], rows + (step + 1) * kWords,
                  columns + (step + 1) * kWords, sizes.words);
    }
    if (kMistake != ProductMistake::kNoWait) {
      if (has_next || kMistake == ProductMistake::kWaitForOldGroup) {
        wait_copies<1>();
      } else {
        wait_copies<0>();
      }
    }
    if (kMistake != ProductMistake::kNoBarrier) {
      __syncthreads();
    }
    multiply_stage(stages.at[step % 2], sums);
    if (kMistake != ProductMistake::kNoTrailingBarrier) {
      __syncthreads();
    }
  }
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int row = first_row + static_cast<int>(threadIdx.x) / kWarpSize * 16 + lane / 4;
  for (int j = 0; j < kTile / 8; ++j) {
    for (int i = 0; i < 4; ++i) {
      const int column = first_column + 8 * j + 2 * (lane % 4) + i % 2;
      c[(row + i / 2 * 8) * sizes.n + column] = sums[j][i];
    }
  }
}

// ---- products of one warp, to see where fragments lie

__global__ void __launch_bounds__(kWarpSize)
    f16_product_kernel(const uint32_t* a, const uint32_t* b, float* d) {
  const int g = static_cast<int>(threadIdx.x) / 4;
  const int t = static_cast<int>(threadIdx.x) % 4;
  const uint32_t fragment_a[4] = {a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + t + 4],
                                  a[(g + 8) * 8 + t + 4]};
  const uint32_t fragment_b[2] = {b[g * 8 + t], b[g * 8 + t + 4]};
  float sums[4] = {};
  multiply_f16(sums, fragment_a, fragment_b);
  for (int i = 0; i < 4; ++i) {
    d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sums[i];
  }
}

__global__ void __launch_bounds__(kWarpSize)
    s8_half_product_kernel(const uint32_t* a, const uint32_t* b, int32_t* d) {
  const int g = static_cast<int>(threadIdx.x) / 4;
  const int t = static_cast<int>(threadIdx.x) % 4;
  int32_t sums[4] = {};
  multiply_s8_half(sums, a[g * 4 + t], a[(g + 8) * 4 + t], b[g * 4 + t]);
  for (int i = 0; i < 4; ++i) {
    d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sums[i];
  }
}

// ---- what a warp does together

__global__ void __launch_bounds__(kWarpSize)
    collectives_kernel(const int32_t* values, int32_t* out) {
  const int lane = static_cast<int>(threadIdx.x);
  const int value = values[lane];
  out[lane] = __shfl_sync(kFullWarp, value, 5);
  out[32 + lane] = __shfl_sync(kFullWarp, value, lane * 7, 8);
  out[64 + lane] = __shfl_up_sync(kFullWarp, value, 3);
  out[96 + lane] = __shfl_down_sync(kFullWarp, value, 3, 16);
  out[128 + lane] = __shfl_xor_sync(kFullWarp, value, 9);
  out[160 + lane] = static_cast<int>(__ballot_sync(kFullWarp, value % 3 == 0));
  out[192 + lane] =
      __any_sync(kFullWarp, value == values[4]) * 2 + __all_sync(kFullWarp, lane < 31);
  // The halves of a warp apart.
  const unsigned half = lane < 16 ? 0x0000FFFFU : 0xFFFF0000U;
  if (lane < 16) {
    out[224 + lane] = __shfl_xor_sync(half, value, 1);
  } else {
    out[224 + lane] = __shfl_xor_sync(half, value, 2);
  }
  __syncwarp();
  const float real = static_cast<float>(value) + 0.5F;
  out[256 + lane] = static_cast<int>(__shfl_xor_sync(kFullWarp, real, 31) * 2.0F);
}

// ---- shared memory, atomics, plain threads

constexpr int kSumThreads = 256;

struct WarpSums {
  float of[kSumThreads / kWarpSize];
};

__device__ __forceinline__ float warp_sum(float value) {
  for (int step = kWarpSize / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(kFullWarp, value, step);
  }
  return value;
}

__global__ void __launch_bounds__(kSumThreads) block_sum_kernel(const float* values, float* out) {
  VERNAL_SHARED(WarpSums, sums);
  const float sum = warp_sum(values[blockIdx.x * kSumThreads + threadIdx.x]);
  if (threadIdx.x % kWarpSize == 0) {
    sums.of[threadIdx.x / kWarpSize] = sum;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0F;
    for (const float part : sums.of) {
      total += part;
    }
    out[blockIdx.x] = total;
  }
}

__global__ void __launch_bounds__(256)
    add_kernel(const float* from, float* to, int count, float addend) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) {
    to[i] = from[i] + addend;
  }
}

__global__ void count_kernel(unsigned* total, unsigned* last) {
  const unsigned before = atomicAdd(total, 1U);
  __threadfence();
  if (before == gridDim.x * blockDim.x - 1) {
    *last = blockIdx.x;
  }
}

template <ProductMistake kMistake>
cudaError_t launch_product(cudaStream_t stream, const uint32_t* a, const uint32_t* b, int32_t* c,
                           dim3 grid, ProductSizes sizes) {
  return launch(stream, grid, dim3(kProductThreads), product_kernel<kMistake>, a, b, c, sizes);
}

}  // namespace

cudaError_t sample_matvec(cudaStream_t stream, const int8_t* weights, const int8_t* vector,
                          int32_t* out, int rows, int columns) {
  constexpr int kRows = kMatvecThreads / kWarpSize;
  return launch(stream, dim3(static_cast<unsigned>((rows + kRows - 1) / kRows)),
                dim3(kMatvecThreads), matvec_kernel, reinterpret_cast<const uint4*>(weights),
                reinterpret_cast<const uint4*>(vector), out, rows, columns / 16);
}

cudaError_t sample_product(cudaStream_t stream, const uint32_t* a, const uint32_t* b, int32_t* c,
                           ProductShape shape, ProductMistake mistake) {
  const dim3 grid(static_cast<unsigned>(shape.n / kTile), static_cast<unsigned>(shape.m / kTile));
  const ProductSizes sizes = {shape.n, shape.k / 4};
  switch (mistake) {
    case ProductMistake::kNone:
      return launch_product<ProductMistake::kNone>(stream, a, b, c, grid, sizes);
    case ProductMistake::kNoWait:
      return launch_product<ProductMistake::kNoWait>(stream, a, b, c, grid, sizes);
    case ProductMistake::kWaitForOldGroup:
      return launch_product<ProductMistake::kWaitForOldGroup>(stream, a, b, c, grid, sizes);
    case ProductMistake::kNoBarrier:
      return launch_product<ProductMistake::kNoBarrier>(stream, a, b, c, grid, sizes);
    case ProductMistake::kNoTrailingBarrier:
      return launch_product<ProductMistake::kNoTrailingBarrier>(stream, a, b, c, grid, sizes);
  }
  return cudaErrorInvalidValue;
}

cudaError_t sample_f16_product(cudaStream_t stream, const uint32_t* a, const uint32_t* b,
                               float* d) {
  return launch(stream, dim3(1), dim3(kWarpSize), f16_product_kernel, a, b, d);
}

cudaError_t sample_s8_half_product(cudaStream_t stream, const uint32_t* a, const uint32_t* b,
                                   int32_t* d) {
  return launch(stream, dim3(1), dim3(kWarpSize), s8_half_product_kernel, a, b, d);
}

cudaError_t sample_collectives(cudaStream_t stream, const int32_t* values, int32_t* out) {
  return launch(stream, dim3(1), dim3(kWarpSize), collectives_kernel, values, out);
}

cudaError_t sample_block_sum(cudaStream_t stream, const float* values, float* out, int blocks) {
  return launch(stream, dim3(static_cast<unsigned>(blocks)), dim3(kSumThreads), block_sum_kernel,
                values, out);
}

cudaError_t sample_add(cudaStream_t stream, const float* from, float* to, int count, float addend) {
  return launch(stream, dim3(static_cast<unsigned>((count + 255) / 256)), dim3(256), add_kernel,
                from, to, count, addend);
}

cudaError_t sample_count(cudaStream_t stream, unsigned* total, unsigned* last, int blocks) {
  return launch(stream, dim3(static_cast<unsigned>(blocks)), dim3(96), count_kernel, total, last);
}

}  // namespace vernal::cuda_sm86

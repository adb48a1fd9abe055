// Small kernels for the tests of the emulator, as host code launches them. The kernels themselves
// compile with nvcc as well (sample_kernels.cu).
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include <cuda_runtime_api.h>
#else
#include "emulator/include/cuda_runtime_api.h"
#endif

namespace vernal::cuda_sm86 {

/// out[r] = the product of row r of `weights` with `vector`; 8-bit integers.
///   weights  [rows, columns], columns a multiple of 16
cudaError_t sample_matvec(cudaStream_t stream, const std::int8_t* weights,
                          const std::int8_t* vector, std::int32_t* out, int rows, int columns);

/// What is wrong with a product.
enum class ProductMistake : std::uint8_t {
  kNone,
  kNoWait,             ///< no wait_copies()
  kWaitForOldGroup,    ///< waits for all groups but one where the newest one is needed
  kNoBarrier,          ///< no barrier between copies and products
  kNoTrailingBarrier,  ///< none between products and the copies that overwrite their factors
};

/// Multiples of 64.
struct ProductShape {
  int m;
  int n;
  int k;
};

/// c = a b in tiles of 64 x 64, copied in two stages.
///   a  [m, k] 8-bit;  b [n, k] 8-bit;  c [m, n]
cudaError_t sample_product(cudaStream_t stream, const std::uint32_t* a, const std::uint32_t* b,
                           std::int32_t* c, ProductShape shape,
                           ProductMistake mistake = ProductMistake::kNone);

/// d = a b of one warp.  a [16, 16] binary16;  b [8, 16] binary16, by columns;  d [16, 8]
cudaError_t sample_f16_product(cudaStream_t stream, const std::uint32_t* a, const std::uint32_t* b,
                               float* d);
/// The same with 8-bit integers.
cudaError_t sample_s8_half_product(cudaStream_t stream, const std::uint32_t* a,
                                   const std::uint32_t* b, std::int32_t* d);

/// Shuffles and votes of one warp; see the kernel for the rows of `out` [kCollectiveRows, 32].
inline constexpr int kCollectiveRows = 9;
cudaError_t sample_collectives(cudaStream_t stream, const std::int32_t* values, std::int32_t* out);

/// out[b] = the sum of the 256 numbers of block b, over shared memory.
cudaError_t sample_block_sum(cudaStream_t stream, const float* values, float* out, int blocks);

/// to[i] = from[i] + addend
cudaError_t sample_add(cudaStream_t stream, const float* from, float* to, int count, float addend);

/// `total` counts the threads of all blocks, and `last` is the number of the block that came last.
cudaError_t sample_count(cudaStream_t stream, unsigned* total, unsigned* last, int blocks);

}  // namespace vernal::cuda_sm86

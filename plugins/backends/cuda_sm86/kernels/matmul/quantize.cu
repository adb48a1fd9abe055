#include "kernels/matmul/quantize_block.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kWarps = 4;

/// A warp for each block of 32 numbers, a lane for each number.
__global__ void quantize_blocks(Quantize q) {
  const int64_t num_blocks = q.num_columns / kBlockColumns;
  const int64_t block = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarpSize;
  const int64_t row = block / num_blocks;
  if (row >= q.rows.count()) return;
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  const int64_t at = block % num_blocks;
  quantize_block(q.blocks, row, at, q.x[row * q.num_columns + at * kBlockColumns + lane]);
}

}  // namespace

cudaError_t launch_quantize(const Quantize& quantize, int64_t most_rows, const LaunchSize& size) {
  const int64_t num_blocks = most_rows * (quantize.num_columns / kBlockColumns);
  return launch(size.stream, blocks_for(num_blocks, kWarps), kWarps * kWarpSize, quantize_blocks,
                quantize);
}

}  // namespace vernal::cuda_sm86

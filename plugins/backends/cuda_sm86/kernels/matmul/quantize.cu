#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/reduce.hpp"

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
  const int64_t column = at * kBlockColumns + lane;
  const float x = q.x[row * q.num_columns + column];
  // A maximum passes over NaN. A number that is not finite makes the scale NaN, so that the product
  // shows it.
  const bool is_finite = __all_sync(kFullWarp, fabsf(x) < INFINITY ? 1 : 0) != 0;
  const float scale = is_finite ? warp_max(fabsf(x)) / 127.0F : NAN;
  const int code = scale > 0.0F ? __float2int_rn(x / scale) : 0;
  ActivationTile& tile = q.blocks.tile(row, at);
  const int in_tile = static_cast<int>(row % kColumnTile);
  tile.codes[in_tile][place_in_block(lane)] = static_cast<int8_t>(code);
  const float sum = warp_sum(static_cast<float>(code));
  if (lane == 0) {
    tile.scales[in_tile] = scale;
    tile.sums[in_tile] = scale * sum;
  }
}

}  // namespace

cudaError_t launch_quantize(const Quantize& quantize, int64_t most_rows, const LaunchSize& size) {
  const int64_t num_blocks = most_rows * (quantize.num_columns / kBlockColumns);
  return launch(size.stream, blocks_for(num_blocks, kWarps), kWarps * kWarpSize, quantize_blocks,
                quantize);
}

}  // namespace vernal::cuda_sm86

#include "kernels/elementwise/norm.hpp"

#include "kernels/elementwise/functions.hpp"
#include "kernels/matmul/quantize_block.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// What becomes of number i of a row, divided by the row's length. The lanes of a warp have numbers
/// side by side, so that 32 of them are a block.
__device__ __forceinline__ void write_number(const Norm& norm, const BlockPlace& place, int64_t row,
                                             int64_t i, float scaled) {
  const int64_t at = row * norm.num_columns + i;
  float y = norm.weight == nullptr ? scaled : scaled * norm.weight[i];
  if (norm.gate != nullptr) {
    y = gated(norm.gate_kind, norm.gate[at], y, norm.gate_alpha, norm.gate_limit);
  }
  if (norm.y != nullptr) norm.y[at] = y;
  if (!has_blocks(norm.result)) return;
  quantize_block(norm.result.blocks, norm.result.num_columns, place.row,
                 place.column + i - threadIdx.x % kWarpSize, y);
}

/// A block for each row. Rows of heads are short and many: they get a warp each.
template <int kThreads>
__global__ void normalise_rows(Norm norm) {
  VERNAL_SHARED(BlockSums<kThreads>, partial);
  const int64_t row = blockIdx.x;
  if (row >= norm.rows.count()) return;
  const int64_t source = norm.index == nullptr ? row : norm.index[row];
  const float* const x = norm.x + source * norm.num_columns;
  float sum = 0.0F;
  for (int64_t i = threadIdx.x; i < norm.num_columns; i += kThreads) sum += x[i] * x[i];
  sum = block_sum(sum, partial);
  const float mean = norm.is_l2 ? sum : sum / static_cast<float>(norm.num_columns);
  const float factor = 1.0F / sqrtf(mean + norm.epsilon);
  const BlockPlace place =
      has_blocks(norm.result) ? block_place(norm.result, row, norm.num_columns) : BlockPlace{};
  for (int64_t i = threadIdx.x; i < norm.num_columns; i += kThreads) {
    write_number(norm, place, row, i, x[i] * factor);
  }
}

constexpr int64_t kShortRow = 512;

}  // namespace

cudaError_t launch_norm(const Norm& norm, int64_t most_rows, const LaunchSize& size) {
  const unsigned grid = blocks_for(most_rows, 1);
  if (norm.num_columns <= kShortRow) {
    return launch(size.stream, grid, kWarpSize, normalise_rows<kWarpSize>, norm);
  }
  return launch(size.stream, grid, 256, normalise_rows<256>, norm);
}

}  // namespace vernal::cuda_sm86

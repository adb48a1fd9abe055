#include "kernels/elementwise/norm.hpp"

#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// A block for each row. Rows of heads are short and many: they get a warp each.
template <int kThreads>
__global__ void normalise_rows(Norm norm) {
  VERNAL_SHARED(BlockSums<kThreads>, partial);
  const int64_t row = blockIdx.x;
  if (row >= norm.rows.count()) return;
  const float* x = norm.x + row * norm.num_columns;
  float* y = norm.y + row * norm.num_columns;
  float sum = 0.0F;
  for (int64_t i = threadIdx.x; i < norm.num_columns; i += kThreads) sum += x[i] * x[i];
  sum = block_sum(sum, partial);
  const float mean = norm.is_l2 ? sum : sum / static_cast<float>(norm.num_columns);
  const float factor = 1.0F / sqrtf(mean + norm.epsilon);
  for (int64_t i = threadIdx.x; i < norm.num_columns; i += kThreads) {
    const float scaled = x[i] * factor;
    y[i] = norm.weight == nullptr ? scaled : scaled * norm.weight[i];
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

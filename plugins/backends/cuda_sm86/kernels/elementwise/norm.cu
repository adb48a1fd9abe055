#include "kernels/elementwise/norm.hpp"

#include "kernels/elementwise/normalise_row.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// A block for each row. Rows of heads are short and many: they get a warp each.
template <int kThreads>
__global__ void normalise_rows(Norm norm) {
  VERNAL_SHARED(BlockSums<kThreads>, partial);
  const int64_t row = blockIdx.x;
  if (row >= norm.rows.count()) return;
  const int64_t source = norm.index == nullptr ? row : norm.index[row];
  normalise_row(norm, norm.x + source * norm.num_columns, row, partial);
}

}  // namespace

cudaError_t launch_norm(const Norm& norm, int64_t most_rows, const LaunchSize& size) {
  const unsigned grid = blocks_for(most_rows, 1);
  if (norm.num_columns <= kShortRow) {
    return launch(size.stream, grid, kWarpSize, normalise_rows<kWarpSize>, norm);
  }
  return launch(size.stream, grid, 256, normalise_rows<256>, norm);
}

}  // namespace vernal::cuda_sm86

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

/// A thread reads again what it has written itself.
template <int kThreads>
__global__ void normalise_rows_twice(Norm first, Norm second) {
  VERNAL_SHARED(BlockSums<kThreads>, partial);
  VERNAL_SHARED(BlockSums<kThreads>, second_partial);
  const int64_t row = blockIdx.x;
  if (row >= first.rows.count()) return;
  const int64_t source = first.index == nullptr ? row : first.index[row];
  normalise_row(first, first.x + source * first.num_columns, row, partial);
  normalise_row(second, first.y + row * first.num_columns, row, second_partial);
}

}  // namespace

cudaError_t launch_norm(const Norm& norm, int64_t most_rows, const LaunchSize& size) {
  const unsigned grid = blocks_for(most_rows, 1);
  if (norm.num_columns <= kShortRow) {
    return launch(size.stream, grid, kWarpSize, normalise_rows<kWarpSize>, norm);
  }
  return launch(size.stream, grid, 256, normalise_rows<256>, norm);
}

cudaError_t launch_norm_pair(const Norm& first, const Norm& second, int64_t most_rows,
                             const LaunchSize& size) {
  const unsigned grid = blocks_for(most_rows, 1);
  if (first.num_columns <= kShortRow) {
    return launch(size.stream, grid, kWarpSize, normalise_rows_twice<kWarpSize>, first, second);
  }
  return launch(size.stream, grid, 256, normalise_rows_twice<256>, first, second);
}

}  // namespace vernal::cuda_sm86

#include "kernels/elementwise/copy.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 128;

// A block for each row.

__device__ __forceinline__ void copy_row(const float* x, float* y, int64_t count) {
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) y[i] = x[i];
}

__global__ void copy_axis(CopyAxis copy) {
  const int64_t row = blockIdx.x;
  if (row >= copy.rows.count()) return;
  copy_row(copy.x + row * copy.x_stride + copy.x_start, copy.y + row * copy.y_stride + copy.y_start,
           copy.part);
}

__global__ void select_rows(SelectRows select) {
  const int64_t row = blockIdx.x;
  if (row >= select.rows.count()) return;
  copy_row(select.x + select.index[row] * select.num_columns, select.y + row * select.num_columns,
           select.num_columns);
}

__global__ void override_rows(OverrideRows rows) {
  const int token = static_cast<int>(blockIdx.x);
  if (token >= rows.counts->num_tokens) return;
  const float* row = rows.x + token * rows.num_columns;
  // Rows are overridden in order, so the last mention of a token wins.
  for (int i = 0; i < rows.counts->num_external; ++i) {
    if (rows.index[i] == token) row = rows.external + i * rows.num_columns;
  }
  copy_row(row, rows.y + token * rows.num_columns, rows.num_columns);
}

}  // namespace

cudaError_t launch_copy_axis(const CopyAxis& copy, int64_t most_rows, const LaunchSize& size) {
  return launch(size.stream, blocks_for(most_rows, 1), kThreads, copy_axis, copy);
}

cudaError_t launch_select_rows(const SelectRows& select, int64_t most_rows,
                               const LaunchSize& size) {
  return launch(size.stream, blocks_for(most_rows, 1), kThreads, select_rows, select);
}

cudaError_t launch_override_rows(const OverrideRows& rows, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), kThreads, override_rows, rows);
}

}  // namespace vernal::cuda_sm86

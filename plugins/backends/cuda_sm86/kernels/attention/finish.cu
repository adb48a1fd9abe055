#include "kernels/attention/attention.hpp"
#include "kernels/attention/merge.hpp"
#include "kernels/attention/rotate.hpp"
#include "kernels/elementwise/functions.hpp"
#include "kernels/matmul/quantize_block.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 128;
constexpr int kNumbers = kMostHeadNumbers / kThreads;  ///< of a thread, at most

struct Row {
  float numbers[kMostHeadNumbers];
};

/// Merges the splits of a row, in order: numbers into `row`. Returns the sum of the weights.
__device__ float merge_splits(const Attention& a, Row& row, int number, VisibleKeys visible) {
  SoftmaxSum total = start_of_row(a, number);
  float numbers[kNumbers] = {};
  for (int split = visible.first_split(); split < visible.end_split(); ++split) {
    const int64_t at = static_cast<int64_t>(number) * a.max_splits + split;
    const Merge merge = merge_sums(total, a.partial_sums[at]);
    total = merge.total;
    VERNAL_UNROLL
    for (int j = 0; j < kNumbers; ++j) {
      const int i = static_cast<int>(threadIdx.x) + j * kThreads;
      if (i >= a.values.dim) break;
      numbers[j] =
          merged(numbers[j], merge.old_factor, a.partials[at * a.values.dim + i], merge.new_factor);
    }
  }
  VERNAL_UNROLL
  for (int j = 0; j < kNumbers; ++j) {
    const int i = static_cast<int>(threadIdx.x) + j * kThreads;
    if (i < a.values.dim) row.numbers[i] = numbers[j];
  }
  return total.sum;
}

/// A block for each query head and token.
__global__ void __launch_bounds__(kThreads) finish_rows(Attention a, bool is_spread) {
  VERNAL_SHARED(Row, row);
  const int token = static_cast<int>(blockIdx.y);
  if (token >= a.counts->num_tokens) return;
  const int number = token * a.num_query_heads + static_cast<int>(blockIdx.x);
  float* const y = a.y + static_cast<int64_t>(number) * a.values.dim;
  float sum = 0.0F;
  if (is_spread) {
    const SequencePart part = a.sequences[a.token_sequence[token]];
    const int position = part.first_position + token - part.start;
    sum = merge_splits(a, row, number, visible_keys(a, part, position));
  } else {
    sum = a.sums[number].sum;
    for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
      row.numbers[i] = y[i];
    }
  }
  __syncthreads();
  rotate_row(a.values, row.numbers);
  const HeadRows& gate = a.gate;
  const float* const g =
      gate.x + token * gate.token_stride + static_cast<int>(blockIdx.x) * gate.head_stride;
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    float result = row.numbers[i] / sum;
    if (gate.x != nullptr) result *= sigmoid(g[i]);
    y[i] = result;
    if (is_wanted(a.result)) {  // then rows are whole blocks, and whole warps come here
      const int first = static_cast<int>(blockIdx.x) * (a.values.dim / kBlockColumns);
      quantize_block(a.result, token, first + i / kBlockColumns, result);
    }
  }
}

}  // namespace

cudaError_t launch_finish(const Attention& a, const LaunchSize& size) {
  const dim3 grid(static_cast<unsigned>(a.num_query_heads), static_cast<unsigned>(size.num_tokens));
  return launch(size.stream, grid, kThreads, finish_rows, a, is_spread(a, size));
}

}  // namespace vernal::cuda_sm86

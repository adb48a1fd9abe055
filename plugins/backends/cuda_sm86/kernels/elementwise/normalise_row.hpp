// The norm of a row, by a block of threads or by a warp.
#pragma once

#include "kernels/elementwise/functions.hpp"
#include "kernels/elementwise/norm.hpp"
#include "kernels/matmul/quantize_block.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

/// What becomes of number i of a row, divided by the row's length. The lanes of a warp have numbers
/// side by side, so that 32 of them are a block.
__device__ __forceinline__ void write_number(const Norm& norm, const BlockPlace& place, int64_t row,
                                             int64_t i, float scaled) {
  const int64_t at = row * norm.num_columns + i;
  // Rounded one after another, as two launches would.
  float y = norm.weight == nullptr ? scaled : __fmul_rn(scaled, norm.weight[i]);
  if (norm.residual != nullptr) y = __fadd_rn(y, norm.residual[at]);
  if (norm.gate != nullptr) {
    y = gated(norm.gate_kind, norm.gate[at], y, norm.gate_alpha, norm.gate_limit);
  }
  if (norm.y != nullptr) norm.y[at] = y;
  if (!is_wanted(norm.result)) return;
  quantize_block(norm.result, place.row, place.block + i / kBlockColumns, y);
}

/// Row `row` of the results from its num_columns numbers x, by kThreads threads of which this one is
/// number threadIdx.x % kThreads. All of them call it.
template <int kThreads>
__device__ __forceinline__ void normalise_row(const Norm& norm, const float* x, int64_t row,
                                              BlockSums<kThreads>& partial) {
  const int64_t first = threadIdx.x % kThreads;
  float sum = 0.0F;
  for (int64_t i = first; i < norm.num_columns; i += kThreads) sum += x[i] * x[i];
  sum = block_sum(sum, partial);
  const float mean = norm.is_l2 ? sum : sum / static_cast<float>(norm.num_columns);
  const float factor = 1.0F / sqrtf(mean + norm.epsilon);
  const BlockPlace place =
      is_wanted(norm.result) ? block_place(norm.result, row, norm.num_columns) : BlockPlace{};
  for (int64_t i = first; i < norm.num_columns; i += kThreads) {
    write_number(norm, place, row, i, x[i] * factor);
  }
}

}  // namespace vernal::cuda_sm86

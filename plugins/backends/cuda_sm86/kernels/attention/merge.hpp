// How the sums of splits are merged, in the order of the splits. Every rounding is written out: the
// bits are the same wherever a row is merged.
#pragma once

#include "kernels/attention/attention.hpp"

namespace vernal::cuda_sm86 {

/// Factors of a row's sums so far and of those of one more split, and the softmax of both.
struct Merge {
  SoftmaxSum total;
  float old_factor;
  float new_factor;
};
__device__ __forceinline__ Merge merge_sums(const SoftmaxSum& before, const SoftmaxSum& split) {
  const float maximum = fmaxf(before.maximum, split.maximum);
  const float old_factor = exp2f(before.maximum - maximum);
  const float new_factor = exp2f(split.maximum - maximum);
  const float sum = __fmaf_rn(before.sum, old_factor, split.sum * new_factor);
  return {{maximum, sum}, old_factor, new_factor};
}
__device__ __forceinline__ float merged(float before, float old_factor, float split,
                                        float new_factor) {
  return __fmaf_rn(before, old_factor, __fmul_rn(split, new_factor));
}
/// Where merging begins: nothing, or a sink, which has weight and no value.
__device__ __forceinline__ SoftmaxSum start_of_row(const Attention& a, int row) {
  if (a.sinks == nullptr) return {-INFINITY, 0.0F};
  return {a.sinks[row % a.num_query_heads] * kLog2E, 1.0F};
}

}  // namespace vernal::cuda_sm86

// What is done to the sum of a product before it is written.
#pragma once

#include "kernels/elementwise/functions.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {

/// Output n for a row of x, from the sum over K. Nothing is fused that the compiler may fuse or not.
__device__ __forceinline__ float finish_output(const Product& p, int64_t row, int64_t n,
                                               float sum) {
  if (p.bias != nullptr) sum = __fadd_rn(sum, p.bias[n]);
  if (p.residual != nullptr) sum = __fadd_rn(sum, p.residual[row * p.matrix.num_rows + n]);
  if (p.is_activated) sum = activate(p.activation, sum);
  if (p.factors != nullptr) sum = __fmul_rn(sum, p.factors[n]);
  return sum;
}

}  // namespace vernal::cuda_sm86

// rmsnorm/1 and l2norm/1.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// y = x / sqrt(mean(x^2) + epsilon) * weight over rows; is_l2: x / sqrt(sum(x^2) + epsilon).
struct Norm {
  const float* x;
  const float* weight;  ///< [num_columns] or null
  float* y;
  DeviceRows rows;
  int64_t num_columns;
  float epsilon;
  bool is_l2;
};
cudaError_t launch_norm(const Norm& norm, int64_t most_rows, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

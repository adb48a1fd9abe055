// Normalisation of rows by their root mean square or their length.
#pragma once

#include <cstdint>

namespace vernal::cpu_avx2 {

/// y[r,:] = x[r,:] / sqrt(mean(x[r,:]^2) + epsilon) * weight, for rows [first, last) of D numbers;
/// with is_l2 the sum of the squares stands in the place of their mean.
struct RmsNorm {
  const float* x = nullptr;       ///< row r at x + r * num_columns
  const float* weight = nullptr;  ///< [num_columns] or null
  float* y = nullptr;             ///< as x; may be x itself
  std::int64_t num_columns = 0;
  float epsilon = 0.0F;
  bool is_l2 = false;
};

/// Rows of different calls may run on different threads. Sums of squares are f32, in eight lanes.
void rmsnorm_rows(const RmsNorm& norm, std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2

// rmsnorm/1 and l2norm/1, with what is done to their rows before and after.
#pragma once

#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/step.hpp"
#include "shared/compile/function_kinds.hpp"

namespace vernal::cuda_sm86 {

/// Rows of at most so many numbers get a warp each.
inline constexpr int64_t kShortRow = 512;

/// y = x / sqrt(mean(x^2) + epsilon) * weight over rows; is_l2: x / sqrt(sum(x^2) + epsilon).
struct Norm {
  const float* x;
  const float* weight;  ///< [num_columns] or null
  float* y;             ///< or null, if only blocks are wanted
  DeviceRows rows;
  int64_t num_columns;
  float epsilon;
  bool is_l2;
  const float* residual = nullptr;  ///< as y: added to it; null: nothing is
  const int32_t* index = nullptr;   ///< row r is that of x[index[r]]; null: x[r]
  const float* gate = nullptr;      ///< as y: the result is glu(gate, y); null: none
  backend::Glu gate_kind = backend::Glu::kSwiglu;
  float gate_alpha = 0.0F;
  float gate_limit = 0.0F;
  /// The result in 8-bit form; null tiles: not wanted. A row of it has one or more rows of results side
  /// by side, as a token has heads; then num_columns is a multiple of 32.
  ActivationBlocks result;
};
cudaError_t launch_norm(const Norm& norm, int64_t most_rows, const LaunchSize& size);

/// A norm, then the norm of its y, which the first one writes: second.x is not read. Both have the same
/// rows, of the same length.
cudaError_t launch_norm_pair(const Norm& first, const Norm& second, int64_t most_rows,
                             const LaunchSize& size);

}  // namespace vernal::cuda_sm86

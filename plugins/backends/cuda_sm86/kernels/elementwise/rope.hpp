// rope/1: the angles of a step once, then the rotation of every head.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Fills [tokens][num_pairs] cosines and then as many sines, times `magnitude`. Angles are f64.
struct RopeAngles {
  const double* radians_per_position;  ///< [num_pairs]
  const int32_t* axis;                 ///< [num_pairs], column of the positions
  const int32_t* positions;            ///< [tokens][num_axes]
  float* table;                        ///< [2][most tokens][num_pairs]
  const StepCounts* counts;
  int32_t most_tokens;  ///< where the sines begin
  int32_t num_pairs;
  int32_t num_axes;
  float magnitude;
};
cudaError_t launch_rope_angles(const RopeAngles& angles, const LaunchSize& size);

/// y = x with the first 2 * num_pairs numbers of each head rotated.
struct Rope {
  const float* x;  ///< [tokens][num_heads][head_dim]
  float* y;
  const float* table;  ///< of launch_rope_angles()
  const StepCounts* counts;
  int32_t most_tokens;
  int32_t num_pairs;
  int32_t num_heads;
  int32_t head_dim;
  bool is_interleaved;  ///< pair j is (2j, 2j + 1), else (j, j + num_pairs)
};
cudaError_t launch_rope(const Rope& rope, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

// conv1d_state/1: causal convolution of each channel over time, with the columns before a step kept
// as a state.
//
//   y[t,c] = act(bias[c] + sum_i weight[c,i] z[t + i, c]),   i in 0 .. width - 1
//
// with z the last width - 1 columns that the sequence had before, then the new ones. The sum runs
// over i in order, so the bits of a row depend on its own sequence alone.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// One node in one step. All memory is borrowed and on the device.
struct Conv1d {
  const float* x;         ///< [T][num_channels]
  const float* weight;    ///< [num_channels][width]
  const float* bias;      ///< [num_channels] or null
  float* y;               ///< as x
  unsigned char* states;  ///< the state of slot s begins at states + s * slot_bytes:
                          ///< [num_columns][num_channels], token t is column t % num_columns
  int64_t slot_bytes;
  const SequencePart* sequences;
  const StepCounts* counts;
  int32_t num_channels;
  int32_t width;
  int32_t num_columns;  ///< that a sequence keeps, at least width - 1
  bool is_silu;         ///< else no activation
};
cudaError_t launch_conv1d(const Conv1d& conv, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

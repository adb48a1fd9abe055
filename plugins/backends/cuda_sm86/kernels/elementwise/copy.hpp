// What only moves numbers: slice/1, split/1, concat/1, select_rows/1, override_rows/1.
#pragma once

#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Copies a part of an axis. A value is [rows, axis, inner].
struct CopyAxis {
  const float* x;
  float* y;
  DeviceRows rows;
  int64_t part;      ///< numbers of the part: its length times inner
  int64_t x_stride;  ///< numbers of a row
  int64_t x_start;   ///< where the part begins in a row, in numbers
  int64_t y_stride;
  int64_t y_start;
};
cudaError_t launch_copy_axis(const CopyAxis& copy, int64_t most_rows, const LaunchSize& size);

/// y[r] = x[index[r]] for the rows wanted.
struct SelectRows {
  const float* x;
  const int32_t* index;
  float* y;
  DeviceRows rows;
  int64_t num_columns;
};
cudaError_t launch_select_rows(const SelectRows& select, int64_t most_rows, const LaunchSize& size);

/// y = x, then y[index[i]] = external[i] for i in order.
struct OverrideRows {
  const float* x;
  const float* external;
  const int32_t* index;
  float* y;
  const StepCounts* counts;
  int64_t num_columns;
};
cudaError_t launch_override_rows(const OverrideRows& override_rows, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

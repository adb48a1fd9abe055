// What varies from step to step, in device memory. Kernels read their counts here and nowhere else,
// so that the launches of one step, captured as a graph, serve every later step of the same shape.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

/// Counts of the step.
struct StepCounts {
  int32_t num_tokens;
  int32_t num_rows;
  int32_t num_sequences;
  int32_t num_external;
};

/// One sequence of the step: its tokens are [start, start + count) of the step and
/// [first_position, first_position + count) of the sequence.
struct SequencePart {
  int32_t start;
  int32_t count;
  int32_t first_position;
  int32_t slot;      ///< of its recurrent states
  int32_t pending;   ///< tokens before first_position that only the logs of the states know
  int32_t log_side;  ///< of the keys, to read; the step writes the other one
};

/// A number of rows, read when the kernel runs.
struct DeviceRows {
  const int32_t* leading = nullptr;  ///< a number of StepCounts; null: 1
  int32_t factor = 1;

  __device__ int64_t count() const {
    return static_cast<int64_t>(leading == nullptr ? 1 : *leading) * factor;
  }
};

/// Where the launches of a step go, and the most that the step may have. Grids are made for these
/// numbers; what the step has of them is in StepCounts.
struct LaunchSize {
  cudaStream_t stream = nullptr;
  int32_t num_tokens = 0;
  int32_t num_rows = 0;
  int32_t num_sequences = 0;
};

/// Blocks of `per_block` that cover `count`.
inline unsigned blocks_for(int64_t count, int64_t per_block) {
  return static_cast<unsigned>((count + per_block - 1) / per_block);
}

}  // namespace vernal::cuda_sm86

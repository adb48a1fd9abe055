// Causal convolution of each channel over time, with the columns before a step kept as a state.
//
//   y[t,c] = act(bias[c] + sum_i weight[c,i] z[t + i, c]),   i in 0 .. width - 1
//
// with z the last width - 1 columns that the sequence had before, then the new ones. The sum runs
// over i in order, so the bits of a row depend on its own sequence alone.
#pragma once

#include <cstdint>

namespace vernal::cpu_avx2 {

/// One convolution node in one step. All memory is borrowed; T tokens of the step.
struct Conv1d {
  const float* x = nullptr;       ///< [T][num_channels]
  const float* weight = nullptr;  ///< [num_channels][width]
  const float* bias = nullptr;    ///< [num_channels] or null
  float* y = nullptr;             ///< [T][num_channels], may not alias x
  std::int64_t num_channels = 0;
  std::int64_t width = 0;
  std::int64_t num_columns = 0;  ///< that a sequence keeps, at least width - 1
  bool is_silu = false;          ///< else no activation
};

/// Tokens [start, start + count) of the step are those from first_position on of one sequence.
struct ConvSequence {
  float* columns = nullptr;  ///< [num_columns][num_channels]: token t is column t % num_columns
  std::int64_t start = 0;
  std::int64_t count = 0;
  std::int64_t first_position = 0;  ///< columns before position 0 count as zeros
};

/// Channels that are done at a time; more stay within a call's registers and first-level cache.
inline constexpr std::int64_t kConvChannels = 64;

/// Writes y of all tokens of a sequence for channels [first, last), at most kConvChannels, and
/// keeps their newest columns. Different ranges may run on different threads at once.
void conv1d_channels(const Conv1d& conv, const ConvSequence& sequence, std::int64_t first,
                     std::int64_t last);

}  // namespace vernal::cpu_avx2

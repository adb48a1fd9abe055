#include "kernels/recurrent/conv1d.hpp"

#include "kernels/elementwise/functions.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 128;

/// The number of a channel at a position of the sequence: before the step in the state.
__device__ __forceinline__ float channel_at(const Conv1d& conv, const float* columns,
                                            const SequencePart& part, int position, int channel) {
  if (position < 0) return 0.0F;
  if (position < part.first_position) {
    return columns[static_cast<int64_t>(position % conv.num_columns) * conv.num_channels + channel];
  }
  const int64_t token = part.start + position - part.first_position;
  return conv.x[token * conv.num_channels + channel];
}

/// A thread for each channel of a sequence. It goes through the tokens in order: the column that a
/// token overwrites in the state is one that no later token reads.
__global__ void convolve(Conv1d conv) {
  const int channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int index = static_cast<int>(blockIdx.y);
  if (index >= conv.counts->num_sequences || channel >= conv.num_channels) return;
  const SequencePart part = conv.sequences[index];
  auto* const columns = reinterpret_cast<float*>(conv.states + part.slot * conv.slot_bytes);
  const float* const weight = conv.weight + static_cast<int64_t>(channel) * conv.width;
  const float bias = conv.bias == nullptr ? 0.0F : conv.bias[channel];
  for (int i = 0; i < part.count; ++i) {
    const int position = part.first_position + i;
    float sum = bias;
    for (int w = 0; w < conv.width; ++w) {
      sum += weight[w] * channel_at(conv, columns, part, position - conv.width + 1 + w, channel);
    }
    const int64_t at = static_cast<int64_t>(part.start + i) * conv.num_channels + channel;
    conv.y[at] = conv.is_silu ? sum * sigmoid(sum) : sum;
    columns[static_cast<int64_t>(position % conv.num_columns) * conv.num_channels + channel] =
        conv.x[at];
  }
}

}  // namespace

cudaError_t launch_conv1d(const Conv1d& conv, const LaunchSize& size) {
  const dim3 grid(blocks_for(conv.num_channels, kThreads),
                  static_cast<unsigned>(size.num_sequences));
  return launch(size.stream, grid, kThreads, convolve, conv);
}

}  // namespace vernal::cuda_sm86

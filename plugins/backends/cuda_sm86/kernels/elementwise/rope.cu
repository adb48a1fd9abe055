#include "kernels/elementwise/rope.hpp"

namespace vernal::cuda_sm86 {

namespace {

__global__ void fill_angles(RopeAngles a) {
  const int token = static_cast<int>(blockIdx.x);
  if (token >= a.counts->num_tokens) return;
  const int32_t* position = a.positions + static_cast<int64_t>(token) * a.num_axes;
  float* cosines = a.table + static_cast<int64_t>(token) * a.num_pairs;
  float* sines = cosines + static_cast<int64_t>(a.most_tokens) * a.num_pairs;
  const double magnitude = a.magnitude;
  for (int pair = static_cast<int>(threadIdx.x); pair < a.num_pairs;
       pair += static_cast<int>(blockDim.x)) {
    const double angle = position[a.axis[pair]] * a.radians_per_position[pair];
    cosines[pair] = static_cast<float>(magnitude * cos(angle));
    sines[pair] = static_cast<float>(magnitude * sin(angle));
  }
}

/// A block for each head of each token.
__global__ void rotate_heads(Rope rope) {
  const int token = static_cast<int>(blockIdx.y);
  if (token >= rope.counts->num_tokens) return;
  const int64_t head = static_cast<int64_t>(token) * rope.num_heads + blockIdx.x;
  const float* x = rope.x + head * rope.head_dim;
  float* y = rope.y + head * rope.head_dim;
  const float* cosines = rope.table + static_cast<int64_t>(token) * rope.num_pairs;
  const float* sines = cosines + static_cast<int64_t>(rope.most_tokens) * rope.num_pairs;
  const int first = static_cast<int>(threadIdx.x);
  const int step = static_cast<int>(blockDim.x);
  for (int j = first; j < rope.num_pairs; j += step) {
    const int u = rope.is_interleaved ? 2 * j : j;
    const int v = rope.is_interleaved ? 2 * j + 1 : j + rope.num_pairs;
    const float before = x[u];
    const float after = x[v];
    y[u] = before * cosines[j] - after * sines[j];
    y[v] = before * sines[j] + after * cosines[j];
  }
  for (int i = 2 * rope.num_pairs + first; i < rope.head_dim; i += step) y[i] = x[i];
}

}  // namespace

cudaError_t launch_rope_angles(const RopeAngles& angles, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), kWarpSize, fill_angles, angles);
}

cudaError_t launch_rope(const Rope& rope, const LaunchSize& size) {
  const dim3 grid(static_cast<unsigned>(rope.num_heads), static_cast<unsigned>(size.num_tokens));
  return launch(size.stream, grid, kWarpSize, rotate_heads, rope);
}

}  // namespace vernal::cuda_sm86

#include "kernels/experts/route.hpp"

#include "kernels/elementwise/functions.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Smallest sum that renormalising divides by: 2^-14.
constexpr float kSmallestSum = 6.103515625e-05F;

/// A choice that is no longer there. Scores that are no numbers count as the lowest one instead.
__device__ __forceinline__ float taken() { return NAN; }
__device__ __forceinline__ bool is_taken(float choice) { return choice != choice; }

struct Shared {
  float scores[kMostExperts];
  float choices[kMostExperts];
  float weights[kMostExperts];
  float groups[kMostExperts];
};

__device__ __forceinline__ int lane_of() { return static_cast<int>(threadIdx.x); }

/// x = score(x) over `count` numbers of shared memory.
__device__ void score(const Route& route, float* x, int count) {
  if (route.is_sigmoid) {
    for (int i = lane_of(); i < count; i += kWarpSize) x[i] = sigmoid(x[i]);
    __syncwarp();
    return;
  }
  float top = -INFINITY;
  for (int i = lane_of(); i < count; i += kWarpSize) top = fmaxf(top, x[i]);
  top = warp_max(top);
  float sum = 0.0F;
  for (int i = lane_of(); i < count; i += kWarpSize) {
    x[i] = expf(x[i] - top);
    sum += x[i];
  }
  sum = warp_sum(sum);
  for (int i = lane_of(); i < count; i += kWarpSize) x[i] /= sum;
  __syncwarp();
}

/// The index of the greatest choice that is left, of equals the lowest one. In every lane.
__device__ int best_choice(const float* choices, int count) {
  float best = -INFINITY;
  int index = count;
  for (int i = lane_of(); i < count; i += kWarpSize) {
    if (is_taken(choices[i])) continue;
    if (index == count || choices[i] > best) {
      best = choices[i];
      index = i;
    }
  }
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2) {
    const float other = __shfl_xor_sync(kFullWarp, best, distance);
    const int other_index = __shfl_xor_sync(kFullWarp, index, distance);
    const bool is_better = other_index < count && (index == count || other > best ||
                                                   (other == best && other_index < index));
    best = is_better ? other : best;
    index = is_better ? other_index : index;
  }
  return index;
}

/// Takes the experts of all but the best groups out of the choice. A group is as good as the sum of
/// its two best experts.
__device__ void keep_best_groups(const Route& route, Shared& shared) {
  const int size = route.num_experts / route.num_groups;
  for (int g = lane_of(); g < route.num_groups; g += kWarpSize) {
    float best = -INFINITY;
    float second = -INFINITY;
    for (int e = g * size; e < (g + 1) * size; ++e) {
      second = fmaxf(second, fminf(best, shared.choices[e]));
      best = fmaxf(best, shared.choices[e]);
    }
    const float sum = size > 1 ? best + second : best;
    shared.groups[g] = sum != sum ? -INFINITY : sum;
  }
  __syncwarp();
  for (int n = 0; n < route.num_used_groups; ++n) {
    const int best = best_choice(shared.groups, route.num_groups);
    __syncwarp();
    if (lane_of() == 0) shared.groups[best] = taken();
    __syncwarp();
  }
  for (int e = lane_of(); e < route.num_experts; e += kWarpSize) {
    if (!is_taken(shared.groups[e / size])) shared.choices[e] = taken();
  }
  __syncwarp();
}

/// A warp for each token.
__global__ void route_tokens(Route route) {
  VERNAL_SHARED(Shared, shared);
  const int64_t token = blockIdx.x;
  if (token >= route.counts->num_tokens) return;
  for (int e = lane_of(); e < route.num_experts; e += kWarpSize) {
    shared.scores[e] = route.scores[token * route.num_experts + e];
  }
  __syncwarp();
  if (route.scores_before) score(route, shared.scores, route.num_experts);
  for (int e = lane_of(); e < route.num_experts; e += kWarpSize) {
    const float c = route.bias == nullptr ? shared.scores[e] : shared.scores[e] + route.bias[e];
    shared.choices[e] = c != c ? -INFINITY : c;
  }
  __syncwarp();
  if (route.num_groups > 1) keep_best_groups(route, shared);
  for (int n = 0; n < route.num_used; ++n) {
    const int best = best_choice(shared.choices, route.num_experts);
    __syncwarp();
    if (lane_of() == 0) {
      route.ids[token * route.num_used + n] = best;
      shared.weights[n] = shared.scores[best];
      shared.choices[best] = taken();
    }
    __syncwarp();
  }
  if (!route.scores_before) score(route, shared.weights, route.num_used);
  float divisor = 1.0F;
  if (route.is_renormalized) {
    divisor = 0.0F;
    for (int n = 0; n < route.num_used; ++n) divisor += shared.weights[n];
    divisor = fmaxf(divisor, kSmallestSum);
  }
  for (int n = lane_of(); n < route.num_used; n += kWarpSize) {
    route.weights[token * route.num_used + n] = shared.weights[n] / divisor * route.scale;
  }
}

}  // namespace

cudaError_t launch_route(const Route& route, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), kWarpSize, route_tokens, route);
}

}  // namespace vernal::cuda_sm86

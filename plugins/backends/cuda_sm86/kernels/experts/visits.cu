#include "kernels/experts/route.hpp"
#include "kernels/experts/visits.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 128;

struct Shared {
  int32_t counts[kMostExperts];
  int32_t starts[kMostExperts];
};

/// One block of threads: each thread counts the visits of its experts, one gives out the slots, then
/// each thread fills those of its experts in the order of visits.
__global__ void order_visits(Visits v) {
  VERNAL_SHARED(Shared, shared);
  const int num_visits = v.counts->num_tokens * v.num_used;
  const int first = static_cast<int>(threadIdx.x);
  for (int e = first; e < v.num_experts; e += kThreads) {
    int count = 0;
    for (int i = 0; i < num_visits; ++i) count += v.ids[i] == e ? 1 : 0;
    shared.counts[e] = count;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    int slot = 0;
    for (int e = 0; e < v.num_experts; ++e) {
      shared.starts[e] = slot;
      slot += (shared.counts[e] + kColumnTile - 1) / kColumnTile * kColumnTile;
    }
    *v.num_slots = slot;
  }
  __syncthreads();
  for (int e = first; e < v.num_experts; e += kThreads) {
    if (shared.counts[e] == 0) continue;
    const int start = shared.starts[e];
    int slot = start;
    for (int i = 0; i < num_visits; ++i) {
      if (v.ids[i] != e) continue;
      v.slot_visits[slot] = i;
      v.visit_slots[i] = slot++;
    }
    const int end = (slot + kColumnTile - 1) / kColumnTile * kColumnTile;
    for (; slot < end; ++slot) v.slot_visits[slot] = -1;
    for (int tile = start / kColumnTile; tile < end / kColumnTile; ++tile) v.tile_experts[tile] = e;
  }
}

/// A block of threads for each slot.
__global__ void gather_rows(GatherRows g) {
  const int64_t slot = blockIdx.x;
  if (slot >= *g.visits.num_slots) return;
  const int visit = g.visits.slot_visits[slot];
  if (visit < 0) return;
  const float weight = g.weights == nullptr ? 1.0F : g.weights[visit];
  const float* const x = g.x + static_cast<int64_t>(visit / g.visits.num_used) * g.num_columns;
  for (int64_t i = threadIdx.x; i < g.num_columns; i += kThreads) {
    g.y[slot * g.num_columns + i] = g.weights == nullptr ? x[i] : x[i] * weight;
  }
}

/// A block of threads for each token.
__global__ void add_visits(AddVisits a) {
  const int64_t token = blockIdx.x;
  if (token >= a.visits.counts->num_tokens) return;
  const int64_t first = token * a.visits.num_used;
  for (int64_t i = threadIdx.x; i < a.num_columns; i += kThreads) {
    float sum = 0.0F;
    for (int n = 0; n < a.visits.num_used; ++n) {
      const float x = a.x[a.visits.visit_slots[first + n] * a.num_columns + i];
      sum += a.weights == nullptr ? x : a.weights[first + n] * x;
    }
    a.y[token * a.num_columns + i] = sum;
  }
}

}  // namespace

cudaError_t launch_order_visits(const Visits& visits, const LaunchSize& size) {
  return launch(size.stream, 1, kThreads, order_visits, visits);
}

cudaError_t launch_gather_rows(const GatherRows& gather, int64_t slots, const LaunchSize& size) {
  return launch(size.stream, blocks_for(slots, 1), kThreads, gather_rows, gather);
}

cudaError_t launch_add_visits(const AddVisits& add, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), kThreads, add_visits, add);
}

}  // namespace vernal::cuda_sm86

#include "kernels/recurrent/delta_rule.hpp"

#include "kernels/elementwise/normalise_row.hpp"
#include "kernels/recurrent/delta_step.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kWarps = 4;
/// Of a block that has all columns of a head.
constexpr int kMostHeadWarps = kMostNormedValues / kWarpColumns;

/// The place of a lane: `warp` counts the groups of eight columns of a head.
__device__ __forceinline__ Place place_of(const DeltaRule& rule, int head, int warp) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  return {head,
          rule.is_grouped ? head * rule.num_key_heads / rule.num_value_heads
                          : head % rule.num_key_heads,
          warp * kWarpColumns + lane / kRowParts, lane % kRowParts};
}

/// Blocks of threads are (columns of S, head, sequence).
template <int kRows>
__global__ void run_delta_rule(DeltaRule rule) {
  const int index = static_cast<int>(blockIdx.z);
  const int head = static_cast<int>(blockIdx.y);
  const int warp =
      static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarpSize;
  if (index >= rule.counts->num_sequences || warp * kWarpColumns >= rule.value_dim) return;
  const Place place = place_of(rule, head, warp);
  const SequencePart part = rule.sequences[index];
  constexpr bool kLoadsLate = kRows > 32;
  pass_sequence<kRows, kLoadsLate>(rule, place, part, [&](int i, float y) {
    if (place.part != 0) return;
    const int64_t row = static_cast<int64_t>(part.start + i) * rule.num_value_heads + head;
    rule.y[row * rule.value_dim + place.column] = y;
  });
}

/// y of a head for the tokens of a sequence.
struct HeadRows {
  float of[kMostNormedTokens][kMostNormedValues];
};

/// Blocks of threads are (head, sequence): a head's row is normed where it is made.
__global__ void __launch_bounds__(kMostHeadWarps* kWarpSize)
    run_normed_delta_rule(DeltaRule rule, Norm norm) {
  VERNAL_SHARED(HeadRows, rows);
  const int index = static_cast<int>(blockIdx.y);
  const int head = static_cast<int>(blockIdx.x);
  if (index >= rule.counts->num_sequences) return;
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int num_warps = static_cast<int>(blockDim.x) / kWarpSize;
  const Place place = place_of(rule, head, warp);
  const SequencePart part = rule.sequences[index];
  pass_sequence<kMostNormedKeys / kRowParts, true>(rule, place, part, [&](int i, float y) {
    if (place.part == 0) rows.of[i][place.column] = y;
  });
  __syncthreads();
  BlockSums<kWarpSize> unused;  // a warp needs no memory for its sum
  for (int i = warp; i < part.count; i += num_warps) {
    const int64_t row = static_cast<int64_t>(part.start + i) * rule.num_value_heads + head;
    normalise_row(norm, rows.of[i], row, unused);
  }
}

}  // namespace

cudaError_t launch_delta_rule(const DeltaRule& rule, const LaunchSize& size) {
  const dim3 grid(blocks_for(rule.value_dim, kWarps * kWarpColumns),
                  static_cast<unsigned>(rule.num_value_heads),
                  static_cast<unsigned>(size.num_sequences));
  const auto put = [&](auto kernel) {
    return launch(size.stream, grid, kWarps * kWarpSize, kernel, rule);
  };
  if (rule.key_dim <= 8 * kRowParts) return put(run_delta_rule<8>);
  if (rule.key_dim <= 32 * kRowParts) return put(run_delta_rule<32>);
  return put(run_delta_rule<kMostKeyNumbers / kRowParts>);
}

cudaError_t launch_normed_delta_rule(const DeltaRule& rule, const Norm& norm,
                                     const LaunchSize& size) {
  const dim3 grid(static_cast<unsigned>(rule.num_value_heads),
                  static_cast<unsigned>(size.num_sequences));
  const auto threads = static_cast<unsigned>(rule.value_dim / kWarpColumns * kWarpSize);
  return launch(size.stream, grid, threads, run_normed_delta_rule, rule, norm);
}

}  // namespace vernal::cuda_sm86

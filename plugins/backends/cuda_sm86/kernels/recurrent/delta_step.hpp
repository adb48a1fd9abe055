// The delta rule of a warp: eight columns of one head's S, over the tokens of one sequence.
#pragma once

#include "kernels/recurrent/delta_rule.hpp"

namespace vernal::cuda_sm86 {

/// What a warp works on: eight columns of one head's S, for one sequence.
struct Place {
  int head;
  int key_head;
  int column;  ///< of this lane
  int part;    ///< of the rows: those that are part modulo 4
};

/// The sum over the four lanes of a column, in each of them.
__device__ __forceinline__ float column_sum(float x) {
  x += __shfl_xor_sync(kFullWarp, x, 1);
  return x + __shfl_xor_sync(kFullWarp, x, 2);
}

/// The lane's rows of a key or query, normalised if the node says so.
template <int kRows>
__device__ __forceinline__ void load_rows(const DeltaRule& rule, const float* x, int part,
                                          float (&rows)[kRows]) {
  const int num_rows = rule.key_dim / kRowParts;
  float squares = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    rows[i] = i < num_rows ? x[kRowParts * i + part] : 0.0F;
    squares += rows[i] * rows[i];
  }
  if (!rule.is_normalized) return;
  const float factor = 1.0F / sqrtf(column_sum(squares) + rule.epsilon);
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) rows[i] *= factor;
}

/// S <- e^g S. `head`: of all tokens.
template <int kRows>
__device__ __forceinline__ void fade(const DeltaRule& rule, int64_t head, int part,
                                     float (&s)[kRows]) {
  if (rule.has_key_gates) {
    const float* const gates = rule.g + head * rule.key_dim;
    const int num_rows = rule.key_dim / kRowParts;
    VERNAL_UNROLL
    for (int i = 0; i < kRows; ++i) {
      s[i] *= i < num_rows ? expf(gates[kRowParts * i + part]) : 1.0F;
    }
    return;
  }
  const float decay = expf(rule.g[head]);
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) s[i] *= decay;
}

/// One token: changes S and returns the lane's number of y.
///   kLoadsLate  gates, k and q are loaded one after another, for kernels that lack registers for all
template <int kRows, bool kLoadsLate>
__device__ __forceinline__ float pass_token(const DeltaRule& rule, const Place& place,
                                            int64_t token, float (&s)[kRows]) {
  const int64_t key = static_cast<int64_t>(place.key_head) * rule.key_dim;
  const int64_t head = token * rule.num_value_heads + place.head;
  fade(rule, head, place.part, s);
  if constexpr (kLoadsLate) __syncwarp();  // no load moves up across it
  float k[kRows];
  load_rows(rule, rule.k + token * rule.k_stride + key, place.part, k);
  float known = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) known += s[i] * k[i];
  const float v = rule.v[token * rule.v_stride + place.head * rule.value_dim + place.column];
  const float u = rule.beta[head] * (v - column_sum(known));
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) s[i] += k[i] * u;
  if constexpr (kLoadsLate) __syncwarp();
  float q[kRows];
  load_rows(rule, rule.q + token * rule.q_stride + key, place.part, q);
  float y = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) y += s[i] * (rule.scale * q[i]);
  return column_sum(y);
}

/// Where the rows of a lane lie in a version of the state.
__device__ __forceinline__ float* matrix_of(const DeltaRule& rule, const SequencePart& part,
                                            const Place& place, int version) {
  auto* const states = reinterpret_cast<float*>(rule.states + part.slot * rule.slot_bytes);
  const int64_t head = static_cast<int64_t>(version) * rule.num_value_heads + place.head;
  const int64_t first = head * rule.key_dim * rule.value_dim;
  const int64_t group = static_cast<int64_t>(place.column / kWarpColumns) * kWarpColumns;
  return states + first + group * rule.key_dim + place.column % kWarpColumns * kRowParts +
         place.part;
}

/// All tokens of a sequence, with S in registers in between.
///   take  called with each token's number among those of the sequence in this step, and the lane's
///         number of y
template <int kRows, bool kLoadsLate, class Take>
__device__ __forceinline__ void pass_sequence(const DeltaRule& rule, const Place& place,
                                              const SequencePart& part, Take take) {
  const int rows = rule.key_dim / kRowParts;
  float s[kRows];
  const float* const before = matrix_of(rule, part, place, part.first_position % rule.num_versions);
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const bool is_zero = i >= rows || part.first_position == 0;
    s[i] = is_zero ? 0.0F : before[static_cast<int64_t>(i) * kWarpSize];
  }
  for (int i = 0; i < part.count; ++i) {
    take(i, pass_token<kRows, kLoadsLate>(rule, place, part.start + i, s));
    // The versions after the newest tokens are kept.
    if (i + rule.num_versions < part.count) continue;
    float* const after =
        matrix_of(rule, part, place, (part.first_position + i + 1) % rule.num_versions);
    VERNAL_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (r < rows) after[static_cast<int64_t>(r) * kWarpSize] = s[r];
    }
  }
}

}  // namespace vernal::cuda_sm86

// gated_delta_rule/1: a matrix S [key_dim, value_dim] for each head that every token changes.
//
//   S <- e^g S;   u = beta (v - S^T k);   S <- S + k u^T;   y = S^T (scale q)
//
// (Yang, Kautz and Hatamizadeh 2024, "Gated Delta Networks"; sdk/spec/operations.md, section 4.)
//
// One form for every number of tokens, sequential, with S in registers. So the bits of a row depend
// on its own sequence's tokens alone (docs/decisions/0009-one-form-of-the-delta-rule.md).
//
// The newest tokens can be taken back, because S is stored as it was before them and a log has what
// they did. A step passes the tokens of the log again and then its own
// (docs/decisions/0012-recurrent-states-are-replayed.md).
#pragma once

#include "kernels/elementwise/norm.hpp"
#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Most numbers of a key.
inline constexpr int kMostKeyNumbers = 256;

/// Columns of S that a warp holds. A column is spread over four lanes, row r in lane part r % 4.
inline constexpr int kWarpColumns = 8;
inline constexpr int kRowParts = 4;

/// Where a state keeps what its newest tokens did. Token t of a sequence has place t mod depth.
struct DeltaRuleLog {
  int32_t depth;  ///< tokens that can be taken back
  int64_t
      values_offset;    ///< bytes from the start of the state: [depth][num_value_heads][value_dim]
  int64_t keys_offset;  ///< [2][depth] times key_bytes; see SequencePart::log_side
  int64_t key_bytes;    ///< k [num_key_heads][key_dim], then g and beta of all value heads
};

/// One node in one step. All memory is borrowed and on the device.
struct DeltaRule {
  const float* q;     ///< [T][num_key_heads][key_dim]; from one token to the next: q_stride numbers
  const float* k;     ///< as q; k_stride
  const float* v;     ///< [T][num_value_heads][value_dim]; v_stride
  const float* g;     ///< [T][num_value_heads], or [T][num_value_heads][key_dim]
  const float* beta;  ///< [T][num_value_heads]
  float* y;           ///< [T][num_value_heads][value_dim]
  /// The state of slot s begins at states + s * slot_bytes: [num_value_heads] times a head's matrix,
  /// then the log. The matrix is that before the sequence's pending tokens. It lies as [value_dim /
  /// 8][key_dim / 4][8][4]: eight columns, then four rows, so that a warp reads it as it holds it.
  unsigned char* states;
  int64_t slot_bytes;
  int64_t q_stride;
  int64_t k_stride;
  int64_t v_stride;
  DeltaRuleLog log;
  const SequencePart* sequences;
  const StepCounts* counts;
  int32_t num_key_heads;  ///< divides num_value_heads
  int32_t num_value_heads;
  int32_t key_dim;    ///< a multiple of 4
  int32_t value_dim;  ///< a multiple of 8
  float scale;
  float epsilon;       ///< of the normalisation
  bool is_normalized;  ///< q and k are first divided by sqrt(sum of squares + epsilon)
  bool is_grouped;     ///< value head h reads key head h Hk / Hv, else h mod Hk
  bool has_key_gates;  ///< g is by row of S
};
cudaError_t launch_delta_rule(const DeltaRule& rule, const LaunchSize& size);

/// Limits of launch_normed_delta_rule(): a head's columns are one block of threads, of at least three
/// warps, and its rows of a step lie in shared memory.
inline constexpr int kMostNormedKeys = 128;
inline constexpr int kLeastNormedValues = 3 * kWarpColumns;
inline constexpr int kMostNormedValues = 128;
inline constexpr int kMostNormedTokens = 8;

/// The rule, then the norm of each head's y, in one launch: for steps of at most kMostNormedTokens
/// tokens. The rule's y is not written, and the norm's x is not read.
cudaError_t launch_normed_delta_rule(const DeltaRule& rule, const Norm& norm,
                                     const LaunchSize& size);

}  // namespace vernal::cuda_sm86

// The gated delta rule: a matrix S [key_dim, value_dim] for each head that every token changes.
//
//   S <- e^g S;   u = beta (v - S^T k);   S <- S + k u^T;   y = S^T (scale q)
//
// (Yang, Kautz and Hatamizadeh 2024, "Gated Delta Networks"; sdk/spec/operations.md §4.)
//
// One form for every number of tokens, exactly sequential: a token's results and the state after it
// come from the state before it by one order of operations (delta_block.hpp). So the bits of a row
// depend on its own sequence's tokens alone: not on where steps begin and end, nor on what else is
// in them. A prefill is fast because a panel of S stays in the first-level cache while all tokens
// of the step pass over it; docs/decisions/0009-one-form-of-the-delta-rule.md has the measurements.
#pragma once

#include <cstdint>

namespace vernal::cpu_avx2 {

/// One node in one step. All memory is borrowed; T tokens of the step.
struct DeltaRule {
  const float* q = nullptr;        ///< [T][num_key_heads][key_dim]
  const float* k = nullptr;        ///< as q
  const float* v = nullptr;        ///< [T][num_value_heads][value_dim]
  const float* g = nullptr;        ///< [T][num_value_heads], or [T][num_value_heads][key_dim]
  const float* beta = nullptr;     ///< [T][num_value_heads]
  float* y = nullptr;              ///< as v
  std::int64_t num_key_heads = 0;  ///< divides num_value_heads
  std::int64_t num_value_heads = 0;
  std::int64_t key_dim = 0;       ///< a multiple of 8
  std::int64_t value_dim = 0;     ///< a multiple of 8
  std::int64_t num_versions = 1;  ///< states that a sequence keeps: the newest ones
  float scale = 1.0F;
  float epsilon = 0.0F;        ///< of the normalisation
  bool is_normalized = false;  ///< q and k are first divided by sqrt(sum of squares + epsilon)
  bool is_grouped = false;     ///< value head h reads key head h Hk / Hv, else h mod Hk
  bool has_key_gates = false;  ///< g is by row of S

  std::int64_t key_head(std::int64_t head) const {
    return is_grouped ? head * num_key_heads / num_value_heads : head % num_key_heads;
  }
  /// Gates of a token in one value head.
  std::int64_t num_gates() const { return has_key_gates ? key_dim : 1; }
  std::int64_t state_floats() const { return num_value_heads * key_dim * value_dim; }
};

/// Tokens [start, start + count) of the step are those from first_position on of one sequence.
///   states  [num_versions][num_value_heads][key_dim * value_dim], after n tokens version
///           n % num_versions. A head's matrix is stored in panels of 32 columns, the last one
///           narrower: [panels][key_dim][32], so that a panel is one run of memory.
struct DeltaSequence {
  float* states = nullptr;
  std::int64_t start = 0;
  std::int64_t count = 0;
  std::int64_t first_position = 0;  ///< 0: the state is zero, whatever the memory holds
};

/// f32 numbers of scratch memory that one thread needs.
std::int64_t delta_rule_scratch_floats(const DeltaRule& rule);

/// Runs all tokens of a sequence through one value head and leaves its newest num_versions states
/// behind. Different heads and sequences may run on different threads at once. Cutting the tokens
/// over several calls, anywhere, changes no bit of y or of the states.
///   scratch  delta_rule_scratch_floats(), 32-byte aligned, of the calling thread alone
void run_delta_rule(const DeltaRule& rule, const DeltaSequence& sequence, std::int64_t head,
                    float* scratch);

}  // namespace vernal::cpu_avx2

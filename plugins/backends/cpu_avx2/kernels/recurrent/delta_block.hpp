// A few tokens of the delta rule for one head: their inputs, ready for use, and the places of
// states.
//
// A panel of the state (16 KiB for a key_dim of 128) stays in the first-level cache while all
// tokens of a block pass over it. A pass applies what the token before changed, lets the state fade
// and collects what this token reads, so each number of S is loaded and stored once for a token:
//
//   S <- d (S + k' u'^T)  (k', u' of the token before),   a = S^T k,   b = S^T q
//   u = beta (v - a),     y = b + (k.q) u
//
// with d = e^g. Every token takes these steps with these sums, wherever a block or a step begins
// or ends: at a border the change is applied by itself, with the same bits.
//
// Where a sequence keeps several states, so that tokens can be taken back, a short part of a step
// works on a copy of the panel. Each state is then written once, past the caches: it is read again in
// the next step at the earliest.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/recurrent/delta_rule.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

/// Tokens that are prepared at a time: what they need lies in the second-level cache.
inline constexpr std::int64_t kDeltaBlock = 64;

/// Columns of a panel of the state: four vectors.
inline constexpr std::int64_t kPanelColumns = 32;

/// One head of a sequence in a step.
struct DeltaHead {
  const DeltaRule& rule;
  const DeltaSequence& sequence;
  std::int64_t head;

  std::int64_t token(std::int64_t t) const { return sequence.start + t; }
  /// Where token t's values and results lie in v and y.
  std::int64_t value_at(std::int64_t t) const {
    return (token(t) * rule.num_value_heads + head) * rule.value_dim;
  }
  const float* gates(std::int64_t t) const {
    return rule.g + (token(t) * rule.num_value_heads + head) * rule.num_gates();
  }
  float beta(std::int64_t t) const { return rule.beta[token(t) * rule.num_value_heads + head]; }

  /// The panel of columns from `column` on of the state after `position` tokens.
  float* panel(std::int64_t position, std::int64_t column) const {
    return sequence.states + position % rule.num_versions * rule.state_floats() +
           (head * rule.value_dim + column) * rule.key_dim;
  }
  /// Copies `size` numbers of the state before the step, from those of `column` on.
  void fetch(std::int64_t column, std::int64_t size, float* out) const {
    if (sequence.first_position == 0) {
      std::fill_n(out, size, 0.0F);
      return;
    }
    const float* before = panel(sequence.first_position, column);
    if (before != out) std::copy_n(before, size, out);
  }
  /// Where all tokens of the step work: the memory of the state after the last of them.
  float* working_panel(std::int64_t column) const {
    return panel(sequence.first_position + sequence.count, column);
  }
  /// Where the state after token t of the sequence's part is to be kept as well, or null.
  float* kept_panel(std::int64_t t, std::int64_t column) const {
    const std::int64_t from_end = sequence.count - 1 - t;
    if (from_end == 0 || from_end >= rule.num_versions) return nullptr;
    return panel(sequence.first_position + t + 1, column);
  }
};

/// Tokens [first, first + count) of a sequence's part of a step, count <= kDeltaBlock. All memory
/// is the caller's scratch.
struct DeltaBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
  float* keys = nullptr;     ///< [count][key_dim], normalised if the rule says so
  float* queries = nullptr;  ///< as keys, scaled
  float* values = nullptr;  ///< [count][value_dim]: v, in whose place y is written. A copy, because
                            ///< the rows of a head lie far apart and panels pass over them often
  float* decays = nullptr;  ///< [count][num_gates]: e^g
  float* products = nullptr;  ///< [count]: k . q
  /// [key_dim][32], where a panel is worked on that is then written to the state. Null: the state is
  /// worked on where it is. Not null only for a block that is the whole of a sequence's part.
  float* panel = nullptr;
};

/// Runs a block whose inputs are filled in.
void run_delta_block(const DeltaHead& head, const DeltaBlock& block);

}  // namespace vernal::cpu_avx2

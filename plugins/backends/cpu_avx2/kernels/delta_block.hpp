// What both forms of the delta rule share: the inputs of a few tokens for one head, ready for use,
// and the places of states.
#pragma once

#include <algorithm>
#include <cstdint>

#include "delta_rule.hpp"
#include "simd.hpp"

namespace vernal::cpu_avx2 {

/// Tokens that are prepared, and in the chunked form solved, at a time.
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
    const std::int64_t width = rule.has_key_gates ? rule.key_dim : 1;
    return rule.g + (token(t) * rule.num_value_heads + head) * width;
  }
  float beta(std::int64_t t) const { return rule.beta[token(t) * rule.num_value_heads + head]; }

  /// The panel of columns from `column` on of the state after `position` tokens.
  float* panel(std::int64_t position, std::int64_t column) const {
    return sequence.states + position % rule.num_versions * rule.state_floats() +
           (head * rule.value_dim + column) * rule.key_dim;
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

/// Tokens [first, first + count) of a sequence's part of a step, count <= kDeltaBlock.
struct DeltaBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
  float* keys = nullptr;     ///< [count][key_dim], normalised if the rule says so
  float* queries = nullptr;  ///< as keys, scaled
  float* values = nullptr;  ///< [count][value_dim]: v, in whose place y is written. A copy, because
                            ///< the rows of a head lie far apart and panels pass over them often
  float* work = nullptr;    ///< the rest of the scratch memory, 32-byte aligned
};

/// Calls body(first column, number of columns) for the panels of a head.
template <class Body>
void for_each_panel(const DeltaRule& rule, Body&& body) {
  for (std::int64_t c = 0; c < rule.value_dim; c += kPanelColumns) {
    body(c, std::min(kPanelColumns, rule.value_dim - c));
  }
}

/// Runs a block token by token (delta_step.cpp).
void run_delta_steps(const DeltaHead& head, const DeltaBlock& block);
/// f32 numbers of `work` that it needs.
std::int64_t delta_step_floats(const DeltaRule& rule);

/// Runs a block by matrix products (delta_chunk.cpp). Gates by head only.
void run_delta_chunk(const DeltaHead& head, const DeltaBlock& block);
std::int64_t delta_chunk_floats(const DeltaRule& rule);

}  // namespace vernal::cpu_avx2

// The state of one sequence, as plain vectors. A copy of the struct is a copy of the sequence: that
// is what a fork or a checkpoint is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "vernal/module.hpp"

namespace reference {

/// The keys and values of one layer, the oldest first, rounded to their storage formats.
struct KvState {
  std::vector<float> keys;    // [length - first, num_heads, key_dim]
  std::vector<float> values;  // [length - first, num_heads, value_dim]
  std::uint64_t first = 0;    // position of the oldest; earlier ones were dropped
};

/// A RECURRENT or CONV state: [num_heads, key_dim, value_dim] or [channels, width-1].
struct FixedState {
  std::vector<float> values;               // at the newest token
  std::deque<std::vector<float>> earlier;  // at earlier tokens that can be restored, in order

  /// Keeps the values before the next token changes them, for at most `depth` tokens.
  void begin_token(std::uint64_t depth) {
    if (depth == 0) return;
    earlier.push_back(values);
    if (earlier.size() > depth) earlier.pop_front();
  }
  /// Goes back to the state before the newest `num_tokens` tokens, which must have been kept.
  void take_back(std::uint64_t num_tokens) {
    for (; num_tokens > 0; --num_tokens) {
      values = std::move(earlier.back());
      earlier.pop_back();
    }
  }
};

struct SequenceState {
  std::vector<KvState> kv;        // by state index; empty for other kinds
  std::vector<FixedState> fixed;  // by state index; empty for KV
};

/// The number of floats of a state of constant size; 0 for KV.
inline std::size_t fixed_size(const vernal::State& s) {
  if (s.kind == VERNAL_STATE_RECURRENT) {
    return static_cast<std::size_t>(s.num_heads * s.key_dim * s.value_dim);
  }
  return s.kind == VERNAL_STATE_CONV ? static_cast<std::size_t>(s.channels * (s.width - 1)) : 0;
}

/// The state of a sequence without tokens. Recurrent and conv states begin as zeros.
inline SequenceState make_state(const vernal::Module& module) {
  SequenceState state;
  state.kv.resize(module.states.size());
  state.fixed.resize(module.states.size());
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    state.fixed[i].values.assign(fixed_size(module.states[i]), 0.0F);
  }
  return state;
}

/// The first position that a state of `length` tokens needs, also if its newest `num_undone` tokens
/// are taken back.
inline std::uint64_t first_needed(const vernal::State& s, std::uint64_t length,
                                  std::uint64_t num_undone) {
  const std::uint64_t distance = static_cast<std::uint64_t>(s.window) + num_undone;
  return s.window == 0 || length < distance ? 0 : length - distance;
}

/// Drops the keys and values that no window sees any more, even if `num_undone` tokens are taken
/// back.
///   lengths   tokens, by function
inline void give_up(const vernal::Module& module, const std::vector<std::uint64_t>& lengths,
                    std::uint64_t num_undone, SequenceState& state) {
  for (std::size_t i = 0; i < state.kv.size(); ++i) {
    const vernal::State& s = module.states[i];
    KvState& kv = state.kv[i];
    const std::uint64_t first = first_needed(s, lengths[s.function], num_undone);
    if (s.kind != VERNAL_STATE_KV || first <= kv.first) continue;
    const auto given_up = static_cast<std::ptrdiff_t>(first - kv.first) * s.num_heads;
    kv.keys.erase(kv.keys.begin(), kv.keys.begin() + given_up * s.key_dim);
    kv.values.erase(kv.values.begin(), kv.values.begin() + given_up * s.value_dim);
    kv.first = first;
  }
}

}  // namespace reference

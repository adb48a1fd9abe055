// The state of one sequence, as plain vectors: copying a sequence is copying this struct, which
// makes fork and checkpoint what their definition says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "vernal/module.hpp"

namespace reference {

/// Keys and values of one layer, oldest first, already rounded to their storage formats.
struct KvState {
  std::vector<float> keys;    // [length, num_heads, key_dim]
  std::vector<float> values;  // [length, num_heads, value_dim]
};

/// A RECURRENT or CONV state: [num_heads, key_dim, value_dim] or [channels, width-1].
struct FixedState {
  std::vector<float> values;               // at the newest token
  std::deque<std::vector<float>> earlier;  // at the tokens before it that can be restored, in order

  /// Keeps what is there before the next token changes it, `depth` tokens back at most.
  void begin_token(std::uint64_t depth) {
    if (depth == 0) return;
    earlier.push_back(values);
    if (earlier.size() > depth) earlier.pop_front();
  }
  /// The state `num_tokens` ago; there are as many earlier ones.
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

/// Floats of a state of constant size; 0 for KV.
inline std::size_t fixed_size(const vernal::State& s) {
  if (s.kind == VERNAL_STATE_RECURRENT) {
    return static_cast<std::size_t>(s.num_heads * s.key_dim * s.value_dim);
  }
  return s.kind == VERNAL_STATE_CONV ? static_cast<std::size_t>(s.channels * (s.width - 1)) : 0;
}

/// A fresh state for every slot the module declares; recurrent and conv states start at zero.
inline SequenceState make_state(const vernal::Module& module) {
  SequenceState state;
  state.kv.resize(module.states.size());
  state.fixed.resize(module.states.size());
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    state.fixed[i].values.assign(fixed_size(module.states[i]), 0.0F);
  }
  return state;
}

}  // namespace reference

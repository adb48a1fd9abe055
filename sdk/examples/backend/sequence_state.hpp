// The state of one sequence, as plain vectors: copying a sequence is copying this struct, which
// makes fork and checkpoint what their definition says.
#pragma once

#include <cstdint>
#include <vector>

#include "vernal/module.hpp"

namespace reference {

/// Keys and values of one layer, oldest first, already rounded to their storage formats.
struct KvState {
  std::vector<float> keys;    // [length, num_heads, key_dim]
  std::vector<float> values;  // [length, num_heads, value_dim]
};

struct SequenceState {
  std::vector<KvState> kv;  // by state index; empty for other kinds
  std::vector<std::vector<float>>
      recurrent;                       // [num_heads, key_dim, value_dim] or [channels, width-1]
  std::vector<std::uint64_t> lengths;  // committed tokens, by function
  std::uint64_t reserved = 0;          // positions promised to `main`
  bool is_valid = true;                // false after a failed step
};

/// A fresh state for every slot the module declares; recurrent and conv states start at zero.
inline SequenceState make_state(const vernal::Module& module) {
  SequenceState state;
  state.kv.resize(module.states.size());
  state.recurrent.resize(module.states.size());
  state.lengths.resize(module.functions.size());
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    std::int64_t size = 0;
    if (s.kind == VERNAL_STATE_RECURRENT) size = s.num_heads * s.key_dim * s.value_dim;
    if (s.kind == VERNAL_STATE_CONV) size = s.channels * (s.width - 1);
    state.recurrent[i].assign(static_cast<std::size_t>(size), 0.0F);
  }
  return state;
}

}  // namespace reference

#include "pool.hpp"

namespace reference {

Pool::Pool(const Program& program)
    : CopiedPool(program.module(), program.options(), program.plan_info(),
                 VERNAL_POOL_SNAPSHOT | VERNAL_POOL_BATCH_INVARIANT),
      program_(program) {}

SequenceState Pool::make_state() const { return reference::make_state(program_.module()); }

vernal::StepOutputs Pool::run(const vernal::StepBatch& batch, std::vector<SequenceState>& states) {
  return program_.run(batch, states);
}

bool Pool::can_cut(const Held& held, std::uint64_t new_length) const {
  const vernal::Module& module = program_.module();
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    if (module.states[i].kind == VERNAL_STATE_KV) continue;
    const std::uint64_t length = held.lengths[module.states[i].function];
    const std::size_t depth = held.state.fixed[i].earlier.size();
    if (length > new_length && length - new_length > depth) return false;
  }
  return true;
}

void Pool::cut(Held& held, std::uint64_t new_length) const {
  const vernal::Module& module = program_.module();
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    const std::uint64_t length = held.lengths[s.function];
    if (length <= new_length) continue;
    if (s.kind == VERNAL_STATE_KV) {
      const auto kept = static_cast<std::size_t>(new_length);
      held.state.kv[i].keys.resize(kept * static_cast<std::size_t>(s.num_heads * s.key_dim));
      held.state.kv[i].values.resize(kept * static_cast<std::size_t>(s.num_heads * s.value_dim));
    } else {
      held.state.fixed[i].take_back(length - new_length);
    }
  }
}

void Pool::forget_history(SequenceState& state) const {
  for (FixedState& fixed : state.fixed) fixed.earlier.clear();
}

}  // namespace reference

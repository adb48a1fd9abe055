#include "pool.hpp"

namespace reference {

Pool::Pool(const Program& program)
    : CopiedPool(program.module(), program.options(), program.plan_info(),
                 VERNAL_POOL_SNAPSHOT | VERNAL_POOL_BATCH_INVARIANT | VERNAL_POOL_CHUNK_INVARIANT),
      program_(program) {}

SequenceState Pool::make_state() const { return reference::make_state(program_.module()); }

vernal::StepOutputs Pool::run(const vernal::StepBatch& batch, std::vector<SequenceState>& states) {
  return program_.run(batch, states);
}

bool Pool::can_cut(const Held& held, std::uint64_t new_length) const {
  const vernal::Module& module = program_.module();
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    const std::uint64_t length = held.lengths[s.function];
    if (length <= new_length) continue;
    const bool can = s.kind == VERNAL_STATE_KV
                         ? first_needed(s, new_length, 0) >= held.state.kv[i].first
                         : length - new_length <= held.state.fixed[i].earlier.size();
    if (!can) return false;
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
      const auto kept = static_cast<std::size_t>(new_length - held.state.kv[i].first);
      held.state.kv[i].keys.resize(kept * static_cast<std::size_t>(s.num_heads * s.key_dim));
      held.state.kv[i].values.resize(kept * static_cast<std::size_t>(s.num_heads * s.value_dim));
    } else {
      held.state.fixed[i].take_back(length - new_length);
    }
  }
}

void Pool::leave_behind(Held& held) const {
  give_up(program_.module(), held.lengths, program_.options().rollback_depth, held.state);
}

void Pool::forget_history(Held& held) const {
  for (FixedState& fixed : held.state.fixed) fixed.earlier.clear();
  give_up(program_.module(), held.lengths, 0, held.state);
}

vernal_checkpoint_info Pool::checkpoint_info(vernal_checkpoint_id id) {
  vernal_checkpoint_info info = CopiedPool::checkpoint_info(id);
  const Held& held = checkpoint(id);
  info.device_bytes = 0;
  for (std::size_t i = 0; i < held.state.kv.size(); ++i) {
    const vernal::State& s = program_.module().states[i];
    if (s.kind != VERNAL_STATE_KV) continue;
    const std::uint64_t num_held = held.lengths[s.function] - held.state.kv[i].first;
    info.device_bytes += num_held * kv_bytes(s, program_.options());
  }
  return info;
}

}  // namespace reference

#include "pool.hpp"

#include <algorithm>
#include <string>

namespace reference {

using vernal::Error;

Pool::Pool(const Program& program)
    : program_(program), sequences_("sequence"), checkpoints_("checkpoint"), tickets_("ticket") {}

bool Pool::cuts_anywhere() const {
  const auto context_length = static_cast<std::int64_t>(program_.options().context_length);
  return std::ranges::all_of(program_.module().states, [&](const vernal::State& state) {
    return state.kind == VERNAL_STATE_KV && (state.window == 0 || state.window >= context_length);
  });
}

std::uint64_t Pool::used_tokens() const {
  std::uint64_t used = 0;
  const auto add = [&](const SequenceState& s) { used += std::max(s.lengths[0], s.reserved); };
  sequences_.for_each(add);
  checkpoints_.for_each(add);
  return used;
}

vernal_pool_info Pool::info() const {
  const vernal_plan_info plan = program_.plan_info();
  vernal_pool_info info{};
  info.struct_size = sizeof(info);
  info.page_tokens = plan.page_tokens;
  info.bytes_per_token = plan.bytes_per_kv_token;
  info.bytes_per_sequence = plan.bytes_per_sequence;
  info.bytes_per_checkpoint = plan.bytes_per_checkpoint;
  info.capacity_tokens = program_.options().kv_tokens;
  info.free_tokens = info.capacity_tokens - std::min(info.capacity_tokens, used_tokens());
  checkpoints_.for_each([&](const SequenceState& s) { info.checkpoint_tokens += s.lengths[0]; });
  info.flags = VERNAL_POOL_STEP_ATOMIC | VERNAL_POOL_SNAPSHOT | VERNAL_POOL_BATCH_INVARIANT;
  if (cuts_anywhere()) info.flags |= VERNAL_POOL_TRUNCATE_ANY;
  return info;
}

void Pool::require_sequence(bool is_fork) const {
  const bool forks_count = !cuts_anywhere();
  std::uint64_t count = 0;
  sequences_.for_each([&](const SequenceState& s) { count += !s.is_fork || forks_count ? 1 : 0; });
  const std::uint64_t most = program_.options().max_sequences;
  if (count < most || (is_fork && !forks_count)) return;
  throw Error(VERNAL_RESOURCE_EXHAUSTED,
              "the plan has room for " + std::to_string(most) + " sequences" +
                  (forks_count ? ", forks included" : "") + ", all of which are held");
}

vernal_sequence_id Pool::seq_create() {
  require_sequence(false);
  return sequences_.add(std::make_unique<SequenceState>(make_state(program_.module())));
}

void Pool::seq_release(vernal_sequence_id sequence) { sequences_.remove(sequence); }

SequenceState& Pool::valid_sequence(vernal_sequence_id sequence) {
  SequenceState& state = sequences_.get(sequence);
  if (!state.is_valid) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                "sequence " + std::to_string(sequence) +
                    " is invalid after a failed step; release or restore it");
  }
  return state;
}

void Pool::seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  SequenceState& state = valid_sequence(sequence);
  const std::uint64_t most = program_.options().context_length;
  if (num_tokens > most || state.lengths[0] > most - num_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "a sequence of " + std::to_string(state.lengths[0]) + " tokens and room for " +
                    std::to_string(num_tokens) + " more do not fit the context length of " +
                    std::to_string(most));
  }
  const std::uint64_t wanted = state.lengths[0] + num_tokens;
  const std::uint64_t held = std::max(state.lengths[0], state.reserved);
  const std::uint64_t others = used_tokens() - held;
  if (others + std::max(wanted, held) > program_.options().kv_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "the KV pool has room for " + std::to_string(program_.options().kv_tokens) +
                    " tokens; " + std::to_string(others) + " are taken by others, " +
                    std::to_string(wanted) + " are wanted");
  }
  state.reserved = std::max(wanted, held);
}

std::uint64_t Pool::seq_length(vernal_sequence_id sequence, std::uint64_t function) {
  return valid_sequence(sequence).lengths.at(function);
}

std::uint64_t Pool::seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) {
  const SequenceState& state = valid_sequence(sequence);
  if (new_length >= state.lengths[0]) return state.lengths[0];
  return can_cut(state, new_length) ? new_length : 0;
}

bool Pool::can_cut(const SequenceState& state, std::uint64_t new_length) const {
  const vernal::Module& module = program_.module();
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    const std::uint64_t length = state.lengths[s.function];
    if (length <= new_length) continue;
    const bool can = s.kind == VERNAL_STATE_KV
                         ? first_needed(s, new_length, 0) >= state.kv[i].first
                         : length - new_length <= state.fixed[i].earlier.size();
    if (!can) return false;
  }
  return true;
}

void Pool::cut(SequenceState& state, std::uint64_t new_length) const {
  const vernal::Module& module = program_.module();
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    const std::uint64_t length = state.lengths[s.function];
    if (length <= new_length) continue;
    if (s.kind == VERNAL_STATE_KV) {
      const auto kept = static_cast<std::size_t>(new_length - state.kv[i].first);
      state.kv[i].keys.resize(kept * static_cast<std::size_t>(s.num_heads * s.key_dim));
      state.kv[i].values.resize(kept * static_cast<std::size_t>(s.num_heads * s.value_dim));
    } else {
      state.fixed[i].take_back(length - new_length);
    }
  }
  for (std::uint64_t& length : state.lengths) length = std::min(length, new_length);
  state.reserved = state.lengths[0];
}

void Pool::seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  SequenceState& state = valid_sequence(sequence);
  const std::uint64_t length = state.lengths[0];
  if (new_length > length) {
    throw Error(VERNAL_INVALID_ARGUMENT, "a sequence of " + std::to_string(length) +
                                             " tokens cannot be cut to " +
                                             std::to_string(new_length));
  }
  if (new_length == 0) {
    const bool is_fork = state.is_fork;
    state = make_state(program_.module());
    state.is_fork = is_fork;
    return;
  }
  if (!can_cut(state, new_length)) {
    throw Error(VERNAL_NOT_RESTORABLE,
                "a sequence of " + std::to_string(length) + " tokens cannot be cut to " +
                    std::to_string(new_length) +
                    "; nearest possible: " + std::to_string(seq_restorable(sequence, new_length)));
  }
  cut(state, new_length);
}

vernal_sequence_id Pool::seq_fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                                  std::uint64_t position) {
  if ((source == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "fork takes either a sequence or a checkpoint");
  }
  const SequenceState& parent = source != 0 ? valid_sequence(source) : checkpoints_.get(checkpoint);
  const std::uint64_t length = parent.lengths[0];
  auto child = std::make_unique<SequenceState>(without_history(program_.module(), parent));
  if (position > length || (position != length && !cuts_anywhere())) {
    throw Error(VERNAL_NOT_RESTORABLE, "a source of " + std::to_string(length) +
                                           " tokens cannot be forked at " +
                                           std::to_string(position));
  }
  cut(*child, position);
  child->is_fork = true;
  require_sequence(true);
  if (used_tokens() + position > program_.options().kv_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "the KV pool has no room for a copy of " + std::to_string(position) + " tokens");
  }
  return sequences_.add(std::move(child));
}

void Pool::seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  SequenceState& state = sequences_.get(sequence);
  const bool is_fork = state.is_fork;
  state = checkpoints_.get(checkpoint);
  state.is_fork = is_fork;
}

vernal_checkpoint_id Pool::checkpoint_create(vernal_sequence_id sequence) {
  auto copy =
      std::make_unique<SequenceState>(without_history(program_.module(), valid_sequence(sequence)));
  copy->reserved = copy->lengths[0];
  if (checkpoints_.size() >= program_.options().max_checkpoints) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the plan has room for " +
                                               std::to_string(program_.options().max_checkpoints) +
                                               " checkpoints, all of which are held");
  }
  if (used_tokens() + copy->lengths[0] > program_.options().kv_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the KV pool has no room for a checkpoint of " +
                                               std::to_string(copy->lengths[0]) + " tokens");
  }
  return checkpoints_.add(std::move(copy));
}

vernal_checkpoint_info Pool::checkpoint_info(vernal_checkpoint_id checkpoint) {
  const SequenceState& state = checkpoints_.get(checkpoint);
  vernal_checkpoint_info info{};
  info.struct_size = sizeof(info);
  info.position = state.lengths[0];
  info.host_bytes = program_.plan_info().bytes_per_checkpoint;
  for (std::size_t i = 0; i < state.kv.size(); ++i) {
    const vernal::State& s = program_.module().states[i];
    if (s.kind != VERNAL_STATE_KV) continue;
    info.device_bytes +=
        (state.lengths[s.function] - state.kv[i].first) * kv_bytes(s, program_.options());
  }
  return info;
}

void Pool::checkpoint_release(vernal_checkpoint_id checkpoint) { checkpoints_.remove(checkpoint); }

std::vector<SequenceState*> Pool::continued(const vernal::StepBatch& batch) {
  std::vector<SequenceState*> states;
  for (const vernal::StepSequence& s : batch.sequences) {
    SequenceState& state = valid_sequence(s.sequence);
    const std::uint64_t length = state.lengths.at(batch.function);
    if (s.first_position != length || s.start + s.count > batch.num_tokens) {
      throw Error(VERNAL_INVALID_ARGUMENT, "step: sequence " + std::to_string(s.sequence) +
                                               " has " + std::to_string(length) +
                                               " tokens, the batch continues it at " +
                                               std::to_string(s.first_position));
    }
    if (length + s.count > state.reserved) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  "step: no room was reserved for sequence " + std::to_string(s.sequence));
    }
    states.push_back(&state);
  }
  return states;
}

vernal::StepBatch Pool::resolved(const vernal::StepBatch& batch) {
  vernal::StepBatch copy = batch;
  for (vernal_step_input& input : copy.inputs) {
    if (input.source != VERNAL_INPUT_STEP) continue;
    const vernal::StepOutput output = step_output(input.ticket, vernal::view(input.output));
    input.source = VERNAL_INPUT_HOST;
    input.data = output.data;
    input.bytes = output.rows * output.columns * sizeof(float);
  }
  return copy;
}

vernal_ticket Pool::step_submit(const vernal::StepBatch& batch) {
  const std::vector<SequenceState*> states = continued(batch);
  // Work on copies, so that a failed step leaves every sequence as it was.
  std::vector<SequenceState> copies;
  copies.reserve(states.size());
  for (const SequenceState* state : states) copies.push_back(*state);
  auto result = std::make_unique<StepResult>(program_.run(resolved(batch), copies));
  for (std::size_t i = 0; i < states.size(); ++i) {
    copies[i].lengths[batch.function] += batch.sequences[i].count;
    leave_behind(program_.module(), program_.options().rollback_depth, copies[i]);
    *states[i] = std::move(copies[i]);
  }
  return tickets_.add(std::move(result));
}

bool Pool::step_wait(vernal_ticket ticket, std::uint64_t) { return step_poll(ticket); }

bool Pool::step_poll(vernal_ticket ticket) {
  tickets_.get(ticket);
  return true;
}

vernal::StepOutput Pool::step_output(vernal_ticket ticket, std::string_view name) {
  const StepResult& result = tickets_.get(ticket);
  const auto found = result.outputs.find(std::string(name));
  if (found == result.outputs.end()) {
    throw Error(VERNAL_NOT_FOUND, "the step has no output \"" + std::string(name) + "\"");
  }
  const Tensor& value = found->second;
  return {value.floats.data(), static_cast<std::uint64_t>(value.num_rows()),
          static_cast<std::uint64_t>(value.last())};
}

void Pool::step_release(vernal_ticket ticket) { tickets_.remove(ticket); }

}  // namespace reference

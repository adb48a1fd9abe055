// Snapshots. The payload has the numbers of each state as f32, in the order of the module. Of a KV
// state they are the keys and then the values that the next token sees; of other states, the newest
// values.
#include "vernal/state/snapshot_header.hpp"

#include <string>

#include "pool.hpp"

namespace reference {

using vernal::Error;
namespace {

vernal::SnapshotKind kind_of(const Program& program) {
  return vernal::snapshot_kind(VERNAL_PLUGIN_ID, VERNAL_PLUGIN_VERSION, program.module(),
                               program.options());
}

/// Calls piece(floats) for every vector of a state, in the order of the payload.
template <class State, class Piece>
void for_each_piece(State& state, Piece&& piece) {
  for (std::size_t i = 0; i < state.kv.size(); ++i) {
    piece(state.kv[i].keys);
    piece(state.kv[i].values);
    piece(state.fixed[i].values);
  }
}

/// A state of these lengths whose numbers are not set yet.
SequenceState sized_state(const vernal::Module& module, const std::vector<std::uint64_t>& lengths) {
  SequenceState state = make_state(module);
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const vernal::State& s = module.states[i];
    if (s.kind != VERNAL_STATE_KV) continue;
    state.kv[i].first = first_needed(s, lengths[s.function], 0);
    const auto rows = static_cast<std::size_t>(lengths[s.function] - state.kv[i].first) *
                      static_cast<std::size_t>(s.num_heads);
    state.kv[i].keys.resize(rows * static_cast<std::size_t>(s.key_dim));
    state.kv[i].values.resize(rows * static_cast<std::size_t>(s.value_dim));
  }
  return state;
}

}  // namespace

void Pool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                           const vernal_sink* sink) {
  Held held = held_by(sequence, checkpoint);
  forget_history(held);
  vernal::write_snapshot(kind_of(program_), held.lengths, *sink, [&](auto&& piece) {
    for_each_piece(held.state, [&](const std::vector<float>& floats) {
      piece(floats.data(), floats.size() * sizeof(float));
    });
  });
}

vernal_sequence_id Pool::snapshot_import(const vernal_reader* reader) {
  vernal::SnapshotReader snapshot(*reader, kind_of(program_));
  for (const std::uint64_t length : snapshot.lengths()) {
    if (length <= program_.options().context_length) continue;
    throw Error(VERNAL_INVALID_ARGUMENT, "a snapshot of " + std::to_string(length) +
                                             " tokens does not fit the context length of " +
                                             std::to_string(program_.options().context_length));
  }
  require_sequence(false);
  require_room(snapshot.lengths()[0], "a snapshot");
  SequenceState state = sized_state(program_.module(), snapshot.lengths());
  std::uint64_t bytes = 0;
  for_each_piece(state,
                 [&](const std::vector<float>& floats) { bytes += floats.size() * sizeof(float); });
  snapshot.require_payload(bytes);
  for_each_piece(state, [&](std::vector<float>& floats) {
    snapshot.read(floats.data(), floats.size() * sizeof(float));
  });
  snapshot.finish();
  Held held;
  held.state = std::move(state);
  held.lengths = snapshot.lengths();
  held.reserved = held.lengths[0];
  return add_sequence(std::move(held));
}

}  // namespace reference

#include "shared/state/sequences.hpp"

#include <algorithm>
#include <string>

namespace vernal::backend {

namespace {

std::string name_of(vernal_sequence_id sequence) { return "sequence " + std::to_string(sequence); }

}  // namespace

Sequences::Sequences(std::span<KvPages> pages, std::span<const KvGroup> groups, StateStore& states,
                     Limits limits)
    : pages_(pages),
      groups_(groups),
      states_(states),
      limits_(limits),
      num_functions_(static_cast<std::size_t>(std::ranges::count(groups, 0, &KvGroup::window))) {}

/// A fork that holds nothing but shared pages does not count.
void Sequences::require_sequence(bool is_fork) const {
  const bool forks_count = !cuts_anywhere();
  if (is_fork && !forks_count) return;
  std::uint64_t count = 0;
  sequences_.for_each([&](const SequenceState& s) { count += !s.is_fork || forks_count ? 1 : 0; });
  if (count < limits_.max_sequences) return;
  throw Error(VERNAL_RESOURCE_EXHAUSTED,
              "the plan has room for " + std::to_string(limits_.max_sequences) + " sequences" +
                  (forks_count ? ", forks included" : "") + "; all are taken");
}

vernal_sequence_id Sequences::create() {
  require_sequence(false);
  SequenceState state;
  state.lengths.assign(num_functions_, 0);
  state.reserved.assign(num_functions_, 0);
  state.undoable.assign(num_functions_, 0);
  state.replays.assign(num_functions_, {});
  state.pages.resize(groups_.size());
  sequences_.reserve_one();
  state.slot = states_.take();
  return sequences_.add(std::move(state));
}

vernal_sequence_id Sequences::create_filled(std::span<const std::uint64_t> lengths) {
  for (const std::uint64_t length : lengths) {
    if (length <= limits_.context_length) continue;
    throw Error(VERNAL_INVALID_ARGUMENT, std::to_string(length) +
                                             " tokens do not fit the context length of " +
                                             std::to_string(limits_.context_length));
  }
  require_filled(lengths);
  const vernal_sequence_id id = create();
  SequenceState& state = sequences_.get(id);
  state.lengths.assign(lengths.begin(), lengths.end());
  state.reserved = state.lengths;
  try {
    take_filled(state);
  } catch (...) {
    release(id);
    throw;
  }
  return id;
}

void Sequences::set_pending(vernal_sequence_id sequence, std::span<const std::uint64_t> pending) {
  SequenceState& state = sequences_.get(sequence);
  for (std::size_t f = 0; f < num_functions_; ++f) {
    const std::uint64_t most = std::min(state.lengths[f], states_.plan().rollback_depth());
    if (pending[f] > most) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  "expected at most " + std::to_string(most) + " tokens in the log of function " +
                      std::to_string(f) + ", found " + std::to_string(pending[f]));
    }
    state.replays[f].pending = pending[f];
  }
}

void Sequences::release(vernal_sequence_id sequence) {
  SequenceState& state = sequences_.get(sequence);
  drop_pages(state, 0);
  states_.drop(state.slot);
  sequences_.remove(sequence);
}

void Sequences::reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  SequenceState& state = sequences_.get(sequence);
  const std::uint64_t length = state.lengths[0];
  if (num_tokens > limits_.context_length || length > limits_.context_length - num_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                name_of(sequence) + ": " + std::to_string(length) + " tokens and room for " +
                    std::to_string(num_tokens) + " more do not fit the context length of " +
                    std::to_string(limits_.context_length));
  }
  const std::uint64_t wanted = std::max(state.reserved[0], length + num_tokens);
  take_pages(state, wanted, num_tokens > 0);
}

// ---- cuts

bool Sequences::can_cut_states(const SequenceState& state, std::uint64_t new_length) const {
  for (std::size_t f = 0; f < num_functions_; ++f) {
    if (!states_.plan().is_exact(f)) continue;
    const std::uint64_t removed = state.lengths[f] - std::min(state.lengths[f], new_length);
    if (removed > state.undoable[f]) return false;
  }
  return true;
}

bool Sequences::can_cut_windows(const SequenceState& state, std::uint64_t new_length) const {
  for (std::size_t g = num_functions_; g < groups_.size(); ++g) {
    const bool is_cut = new_length < length_of(state, g);
    if (is_cut && groups_[g].first_needed(new_length) < state.pages[g].first) return false;
  }
  return true;
}

bool Sequences::can_cut(const SequenceState& state, std::uint64_t new_length) const {
  return new_length == 0 ||
         (can_cut_states(state, new_length) && can_cut_windows(state, new_length));
}

std::uint64_t Sequences::restorable(vernal_sequence_id sequence, std::uint64_t new_length) const {
  const SequenceState& state = sequences_.get(sequence);
  const std::uint64_t length = std::min(new_length, state.lengths[0]);
  // A sequence that cannot be cut to a length cannot be cut to a shorter one either, except to 0.
  return can_cut(state, length) ? length : 0;
}

void Sequences::refuse_cut(const std::string& name, const SequenceState& state,
                           std::uint64_t new_length) const {
  std::string kept;
  if (states_.plan().is_hybrid()) {
    kept += ", recurrent states of the last " + std::to_string(state.undoable[0]);
  }
  for (std::size_t g = num_functions_; g < groups_.size(); ++g) {
    kept += ", keys and values of a window of " + std::to_string(groups_[g].window) +
            " from position " +
            std::to_string(state.pages[g].first * static_cast<std::size_t>(kPageTokens)) + " on";
  }
  throw Error(VERNAL_NOT_RESTORABLE, name + " has " + std::to_string(state.lengths[0]) + " tokens" +
                                         kept + "; it cannot be cut to " +
                                         std::to_string(new_length) + ", nearest possible: 0");
}

void Sequences::truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  SequenceState& state = sequences_.get(sequence);
  if (new_length > state.lengths[0]) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                name_of(sequence) + " has " + std::to_string(state.lengths[0]) +
                    " tokens; it cannot be cut to " + std::to_string(new_length));
  }
  if (!can_cut(state, new_length)) refuse_cut(name_of(sequence), state, new_length);
  for (std::size_t f = 0; f < state.lengths.size(); ++f) {
    const std::uint64_t removed = state.lengths[f] - std::min(state.lengths[f], new_length);
    state.lengths[f] -= removed;
    state.undoable[f] -= std::min(removed, state.undoable[f]);
    Replay& replay = state.replays[f];
    replay.pending -= std::min(removed, replay.pending);
  }
  drop_pages(state, new_length);
  state.reserved.assign(num_functions_, new_length);
}

// ---- copies

vernal_sequence_id Sequences::fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                                   std::uint64_t position) {
  if ((source == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "fork: expected a sequence or a checkpoint, not both");
  }
  const SequenceState& parent = source != 0 ? sequences_.get(source) : checkpoints_.get(checkpoint);
  const std::uint64_t length = parent.lengths[0];
  if (position > length || (position < length && !cuts_anywhere())) {
    throw Error(VERNAL_NOT_RESTORABLE,
                "fork: the source has " + std::to_string(length) + " tokens, position " +
                    std::to_string(position) +
                    (position > length ? " is behind them"
                                       : " is not the one its states or windows are at"));
  }
  require_sequence(true);
  sequences_.reserve_one();
  SequenceState child = share_pages(parent, position);
  child.is_fork = true;
  try {
    child.slot = source != 0 ? states_.take_copy(parent.slot, parent.lengths)
                             : states_.take_restored(parent.slot, parent.lengths);
    take_pages(child, position, false);  // other functions get room up to it
  } catch (...) {
    drop_pages(child, 0);
    states_.drop(child.slot);
    throw;
  }
  return sequences_.add(std::move(child));
}

void Sequences::restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  SequenceState& state = sequences_.get(sequence);
  const SequenceState& source = checkpoints_.get(checkpoint);
  SequenceState copy = share_pages(source, source.lengths[0]);
  copy.slot = state.slot;
  copy.is_fork = state.is_fork;
  states_.restore(source.slot, state.slot, source.lengths);
  drop_pages(state, 0);
  state = std::move(copy);
}

vernal_checkpoint_id Sequences::create_checkpoint(vernal_sequence_id sequence) {
  const SequenceState& state = sequences_.get(sequence);
  if (checkpoints_.size() >= limits_.max_checkpoints) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the plan's " + std::to_string(limits_.max_checkpoints) +
                                               " checkpoints are all taken");
  }
  checkpoints_.reserve_one();
  SequenceState copy = share_pages(state, state.lengths[0]);
  copy.slot = states_.keep(state.slot, state.lengths);
  return checkpoints_.add(std::move(copy));
}

void Sequences::release_checkpoint(vernal_checkpoint_id checkpoint) {
  SequenceState& state = checkpoints_.get(checkpoint);
  drop_pages(state, 0);
  states_.drop_kept(state.slot);
  checkpoints_.remove(checkpoint);
}

}  // namespace vernal::backend

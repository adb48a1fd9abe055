#include "sequences.hpp"

#include <algorithm>
#include <string>

#include "kernels/kv_page.hpp"

namespace vernal::cpu_avx2 {

namespace {

std::size_t pages_for(std::uint64_t tokens) {
  return static_cast<std::size_t>((tokens + kPageTokens - 1) / kPageTokens);
}

/// Whether the page that the next token of a sequence goes to is held by others too. It may be
/// shared only as long as nobody writes into it.
bool must_copy(const KvPages& pages, const std::vector<PageId>& held, std::uint64_t length) {
  const auto writing = static_cast<std::size_t>(length / kPageTokens);
  return writing < held.size() && pages.is_shared(held[writing]);
}

/// Whether room up to `wanted` is room to write: for `main` only if it is to grow, for functions
/// behind it at once.
bool is_written(const SequenceState& state, std::size_t function, std::uint64_t wanted,
                bool grows) {
  return function == 0 ? grows : wanted > state.lengths[function];
}

std::string name_of(vernal_sequence_id sequence) { return "sequence " + std::to_string(sequence); }

}  // namespace

Sequences::Sequences(std::span<KvPages> pages, StateStore& states, Limits limits)
    : pages_(pages), states_(states), limits_(limits) {}

vernal_sequence_id Sequences::create() {
  SequenceState state;
  state.lengths.assign(pages_.size(), 0);
  state.reserved.assign(pages_.size(), 0);
  state.undoable.assign(pages_.size(), 0);
  state.pages.resize(pages_.size());
  state.slot = states_.take();
  return sequences_.add(std::move(state));
}

vernal_sequence_id Sequences::create_filled(std::span<const std::uint64_t> lengths) {
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    if (lengths[f] > limits_.context_length) {
      throw Error(VERNAL_INVALID_ARGUMENT, std::to_string(lengths[f]) +
                                               " tokens do not fit the context length of " +
                                               std::to_string(limits_.context_length));
    }
    const auto needed = static_cast<std::int64_t>(pages_for(lengths[f]));
    if (pages_[f].num_pages() > 0 && needed > pages_[f].num_free()) {
      throw Error(VERNAL_RESOURCE_EXHAUSTED,
                  "KV pool: " + std::to_string(needed) + " pages are wanted, " +
                      std::to_string(pages_[f].num_free()) + " are free");
    }
  }
  const vernal_sequence_id id = create();
  SequenceState& state = sequences_.get(id);
  state.lengths.assign(lengths.begin(), lengths.end());
  state.reserved = state.lengths;
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    if (pages_[f].num_pages() == 0) continue;
    std::vector<PageId>& held = state.pages[f];
    while (held.size() < pages_for(lengths[f])) held.push_back(pages_[f].take());
  }
  return id;
}

void Sequences::release(vernal_sequence_id sequence) {
  SequenceState& state = sequences_.get(sequence);
  drop_pages(state, 0);
  states_.drop(state.slot);
  sequences_.remove(sequence);
}

void Sequences::drop_pages(SequenceState& state, std::uint64_t length) {
  const std::size_t kept = pages_for(length);
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    std::vector<PageId>& held = state.pages[f];
    for (std::size_t i = kept; i < held.size(); ++i) pages_[f].drop(held[i]);
    held.resize(std::min(kept, held.size()));
  }
}

void Sequences::require_pages(const SequenceState& state, std::uint64_t wanted, bool grows) const {
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    const KvPages& pages = pages_[f];
    if (pages.num_pages() == 0) continue;
    const std::size_t held = state.pages[f].size();
    const std::size_t missing = pages_for(wanted) - std::min(pages_for(wanted), held);
    const bool copies =
        is_written(state, f, wanted, grows) && must_copy(pages, state.pages[f], state.lengths[f]);
    const auto needed = static_cast<std::int64_t>(missing) + (copies ? 1 : 0);
    if (needed <= pages.num_free()) continue;
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "KV pool: " + std::to_string(needed) + " pages of " + std::to_string(kPageTokens) +
                    " positions are wanted, " + std::to_string(pages.num_free()) + " are free");
  }
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

void Sequences::take_pages(SequenceState& state, std::uint64_t wanted, bool grows) {
  require_pages(state, wanted, grows);
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    KvPages& pages = pages_[f];
    if (pages.num_pages() == 0) continue;
    std::vector<PageId>& held = state.pages[f];
    if (is_written(state, f, wanted, grows) && must_copy(pages, held, state.lengths[f])) {
      PageId& writing = held[static_cast<std::size_t>(state.lengths[f] / kPageTokens)];
      const PageId own = pages.take();
      pages.copy(writing, own);
      pages.drop(writing);
      writing = own;
    }
    while (held.size() < pages_for(wanted)) held.push_back(pages.take_cleared());
  }
  state.reserved.assign(pages_.size(), wanted);
}

bool Sequences::can_cut(const SequenceState& state, std::uint64_t new_length) const {
  if (new_length == 0) return true;
  for (std::size_t f = 0; f < state.lengths.size(); ++f) {
    if (!states_.plan().is_exact(f)) continue;
    const std::uint64_t removed = state.lengths[f] - std::min(state.lengths[f], new_length);
    if (removed > 0 && removed > state.undoable[f]) return false;
  }
  return true;
}

std::uint64_t Sequences::restorable(vernal_sequence_id sequence, std::uint64_t new_length) const {
  const SequenceState& state = sequences_.get(sequence);
  const std::uint64_t length = std::min(new_length, state.lengths[0]);
  // What cannot be cut to a length can be cut to none below it either, but for nothing at all.
  return can_cut(state, length) ? length : 0;
}

void Sequences::truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  SequenceState& state = sequences_.get(sequence);
  if (new_length > state.lengths[0]) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                name_of(sequence) + " has " + std::to_string(state.lengths[0]) +
                    " tokens; it cannot be cut to " + std::to_string(new_length));
  }
  if (new_length == *std::ranges::max_element(state.lengths)) return;
  if (!can_cut(state, new_length)) {
    throw Error(VERNAL_NOT_RESTORABLE,
                name_of(sequence) + " has " + std::to_string(state.lengths[0]) +
                    " tokens, and recurrent states of the last " +
                    std::to_string(state.undoable[0]) + "; it cannot be cut to " +
                    std::to_string(new_length) + ", nearest possible: 0");
  }
  for (std::size_t f = 0; f < state.lengths.size(); ++f) {
    const std::uint64_t removed = state.lengths[f] - std::min(state.lengths[f], new_length);
    state.lengths[f] -= removed;
    state.undoable[f] -= std::min(removed, state.undoable[f]);
  }
  drop_pages(state, new_length);
  state.reserved.assign(pages_.size(), new_length);
}

SequenceState Sequences::share_pages(const SequenceState& source, std::uint64_t length) {
  SequenceState copy;
  copy.undoable.assign(pages_.size(), 0);
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    const bool is_whole = length == source.lengths[0];
    copy.lengths.push_back(is_whole ? source.lengths[f] : std::min(source.lengths[f], length));
    // Behind its length a function has nothing to share, and will write.
    const std::size_t count = std::min(pages_for(copy.lengths[f]), source.pages[f].size());
    copy.pages.emplace_back(source.pages[f].begin(),
                            source.pages[f].begin() + static_cast<std::ptrdiff_t>(count));
    for (const PageId page : copy.pages[f]) pages_[f].hold(page);
  }
  copy.reserved = copy.lengths;
  return copy;
}

vernal_sequence_id Sequences::fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                                   std::uint64_t position) {
  if ((source == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "fork: expected a sequence or a checkpoint, not both");
  }
  const SequenceState& parent = source != 0 ? sequences_.get(source) : checkpoints_.get(checkpoint);
  const std::uint64_t length = parent.lengths[0];
  if (position > length || (position < length && states_.plan().is_hybrid())) {
    throw Error(VERNAL_NOT_RESTORABLE,
                "fork: the source has " + std::to_string(length) + " tokens, position " +
                    std::to_string(position) +
                    (position > length ? " is behind them"
                                       : " is not the one its recurrent states are at"));
  }
  const SlotId slot = source != 0 ? states_.take_copy(parent.slot, parent.lengths)
                                  : states_.take_restored(parent.slot, parent.lengths);
  SequenceState child = share_pages(parent, position);
  child.slot = slot;
  try {
    take_pages(child, position, false);  // functions behind `main` have room up to it
  } catch (const Error&) {
    drop_pages(child, 0);
    states_.drop(slot);
    throw;
  }
  return sequences_.add(std::move(child));
}

void Sequences::restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  SequenceState& state = sequences_.get(sequence);
  const SequenceState& source = checkpoints_.get(checkpoint);
  SequenceState copy = share_pages(source, source.lengths[0]);
  copy.slot = state.slot;
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

void Sequences::commit(vernal_sequence_id sequence, std::size_t function,
                       std::uint64_t num_tokens) {
  SequenceState& state = sequences_.get(sequence);
  state.lengths[function] += num_tokens;
  state.undoable[function] =
      std::min(state.undoable[function] + num_tokens, states_.plan().rollback_depth());
}

std::int64_t Sequences::page_bytes_held_alone(const SequenceState& state) const {
  std::int64_t bytes = 0;
  for (std::size_t f = 0; f < pages_.size(); ++f) {
    bytes += pages_[f].page_bytes() * std::ranges::count_if(state.pages[f], [&](PageId page) {
               return !pages_[f].is_shared(page);
             });
  }
  return bytes;
}

std::int64_t Sequences::pages_held_by_checkpoints() const {
  const auto num_pages = static_cast<std::size_t>(pages_[0].num_pages());
  std::vector<bool> is_live(num_pages);
  std::vector<bool> is_kept(num_pages);
  const auto mark = [](std::vector<bool>& marks) {
    return [&marks](const SequenceState& s) {
      for (const PageId page : s.pages[0]) marks[page] = true;
    };
  };
  sequences_.for_each(mark(is_live));
  checkpoints_.for_each(mark(is_kept));
  std::int64_t count = 0;
  for (std::size_t i = 0; i < is_live.size(); ++i) count += is_kept[i] && !is_live[i] ? 1 : 0;
  return count;
}

}  // namespace vernal::cpu_avx2

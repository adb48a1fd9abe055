#include "sequences.hpp"

#include <algorithm>
#include <string>

#include "kernels/kv_page.hpp"

namespace vernal::cpu_avx2 {

namespace {

std::size_t pages_for(std::uint64_t tokens) {
  return static_cast<std::size_t>((tokens + kPageTokens - 1) / kPageTokens);
}

}  // namespace

Sequences::Sequences(KvPages& pages, Limits limits) : pages_(pages), limits_(limits) {}

vernal_sequence_id Sequences::create() {
  SequenceState state;
  state.lengths.assign(limits_.num_functions, 0);
  return sequences_.add(std::move(state));
}

void Sequences::release(vernal_sequence_id sequence) {
  drop_pages(sequences_.get(sequence), 0);
  sequences_.remove(sequence);
}

void Sequences::drop_pages(SequenceState& state, std::size_t first) {
  for (std::size_t i = first; i < state.pages.size(); ++i) pages_.drop(state.pages[i]);
  state.pages.resize(std::min(first, state.pages.size()));
}

void Sequences::reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) {
  SequenceState& state = sequences_.get(sequence);
  const std::uint64_t length = state.lengths[0];
  if (num_tokens > limits_.context_length || length > limits_.context_length - num_tokens) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "sequence " + std::to_string(sequence) + ": " +
                                               std::to_string(length) + " tokens and room for " +
                                               std::to_string(num_tokens) +
                                               " more do not fit the context length of " +
                                               std::to_string(limits_.context_length));
  }
  const std::uint64_t wanted = std::max(state.reserved, length + num_tokens);
  // The first page that will be written into may be shared only if nothing is in it yet.
  const auto writing = static_cast<std::size_t>(length / kPageTokens);
  const bool must_copy =
      num_tokens > 0 && writing < state.pages.size() && pages_.is_shared(state.pages[writing]);
  const std::size_t missing = pages_for(wanted) - std::min(pages_for(wanted), state.pages.size());
  const auto needed = static_cast<std::int64_t>(missing) + (must_copy ? 1 : 0);
  if (needed > pages_.num_free()) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "KV pool: " + std::to_string(needed) + " pages of " + std::to_string(kPageTokens) +
                    " positions are wanted, " + std::to_string(pages_.num_free()) + " are free");
  }
  if (must_copy) {
    const PageId own = pages_.take();
    pages_.copy(state.pages[writing], own);
    pages_.drop(state.pages[writing]);
    state.pages[writing] = own;
  }
  for (std::size_t i = 0; i < missing; ++i) state.pages.push_back(pages_.take());
  state.reserved = wanted;
}

void Sequences::truncate(vernal_sequence_id sequence, std::uint64_t new_length) {
  SequenceState& state = sequences_.get(sequence);
  if (new_length > state.lengths[0]) {
    throw Error(VERNAL_NOT_RESTORABLE, "sequence " + std::to_string(sequence) + " has " +
                                           std::to_string(state.lengths[0]) +
                                           " tokens; it cannot be cut to " +
                                           std::to_string(new_length));
  }
  if (new_length == state.lengths[0]) return;
  for (std::uint64_t& length : state.lengths) length = std::min(length, new_length);
  drop_pages(state, pages_for(new_length));
  state.reserved = new_length;
}

SequenceState Sequences::share(const SequenceState& source, std::uint64_t length) {
  SequenceState copy;
  for (const std::uint64_t l : source.lengths) copy.lengths.push_back(std::min(l, length));
  copy.pages.assign(source.pages.begin(),
                    source.pages.begin() + static_cast<std::ptrdiff_t>(pages_for(length)));
  for (const PageId page : copy.pages) pages_.hold(page);
  copy.reserved = length;
  return copy;
}

vernal_sequence_id Sequences::fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                                   std::uint64_t position) {
  if ((source == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "fork: expected a sequence or a checkpoint, not both");
  }
  const SequenceState& parent = source != 0 ? sequences_.get(source) : checkpoints_.get(checkpoint);
  if (position > parent.lengths[0]) {
    throw Error(VERNAL_NOT_RESTORABLE, "fork: the source has " + std::to_string(parent.lengths[0]) +
                                           " tokens, position " + std::to_string(position) +
                                           " is behind them");
  }
  return sequences_.add(share(parent, position));
}

void Sequences::restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) {
  SequenceState& state = sequences_.get(sequence);
  const SequenceState& source = checkpoints_.get(checkpoint);
  SequenceState copy = share(source, source.lengths[0]);
  drop_pages(state, 0);
  state = std::move(copy);
}

vernal_checkpoint_id Sequences::create_checkpoint(vernal_sequence_id sequence) {
  const SequenceState& state = sequences_.get(sequence);
  return checkpoints_.add(share(state, state.lengths[0]));
}

void Sequences::release_checkpoint(vernal_checkpoint_id checkpoint) {
  drop_pages(checkpoints_.get(checkpoint), 0);
  checkpoints_.remove(checkpoint);
}

std::int64_t Sequences::pages_held_alone(const SequenceState& state) const {
  return std::ranges::count_if(state.pages, [&](PageId page) { return !pages_.is_shared(page); });
}

std::int64_t Sequences::pages_held_by_checkpoints() const {
  std::vector<bool> is_live(static_cast<std::size_t>(pages_.num_pages()));
  std::vector<bool> is_kept(is_live.size());
  const auto mark = [](std::vector<bool>& marks) {
    return [&marks](const SequenceState& s) {
      for (const PageId page : s.pages) marks[page] = true;
    };
  };
  sequences_.for_each(mark(is_live));
  checkpoints_.for_each(mark(is_kept));
  std::int64_t count = 0;
  for (std::size_t i = 0; i < is_live.size(); ++i) count += is_kept[i] && !is_live[i] ? 1 : 0;
  return count;
}

}  // namespace vernal::cpu_avx2

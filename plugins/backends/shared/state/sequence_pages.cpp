// How sequences take, share and give up the pages of the pool.
#include <algorithm>
#include <string>

#include "shared/state/sequences.hpp"

namespace vernal::backend {

namespace {

std::size_t pages_for(std::uint64_t tokens) {
  return static_cast<std::size_t>((tokens + kPageTokens - 1) / kPageTokens);
}

/// Whether others hold the page too that the next token of a sequence goes to. Nobody may write to
/// a shared page, so it must be copied first.
bool must_copy(const KvPages& pages, const HeldPages& held, std::uint64_t length) {
  const auto writing = static_cast<std::size_t>(length / kPageTokens);
  return writing < held.ids.size() && pages.is_shared(held.ids[writing]);
}

/// Whether a function will write to the room that is reserved up to `wanted`. `main` does if the
/// sequence grows; other functions do if they have fewer tokens than that.
bool is_written(const SequenceState& state, std::size_t function, std::uint64_t wanted,
                bool grows) {
  return function == 0 ? grows : wanted > state.lengths[function];
}

}  // namespace

void Sequences::require_pages(const SequenceState& state, std::uint64_t wanted, bool grows) const {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const KvPages& pages = pages_[g];
    if (pages.num_pages() == 0 || groups_[g].window > 0) continue;
    const std::size_t held = state.pages[g].ids.size();
    const std::size_t missing = pages_for(wanted) - std::min(pages_for(wanted), held);
    const bool copies = is_written(state, groups_[g].function, wanted, grows) &&
                        must_copy(pages, state.pages[g], length_of(state, g));
    const auto needed = static_cast<std::int64_t>(missing) + (copies ? 1 : 0);
    if (needed <= pages.num_free()) continue;
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "KV pool: " + std::to_string(needed) + " pages of " + std::to_string(kPageTokens) +
                    " positions are wanted, " + std::to_string(pages.num_free()) + " are free");
  }
}

void Sequences::take_pages(SequenceState& state, std::uint64_t wanted, bool grows) {
  require_pages(state, wanted, grows);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    KvPages& pages = pages_[g];
    if (pages.num_pages() == 0) continue;
    HeldPages& held = state.pages[g];
    if (is_written(state, groups_[g].function, wanted, grows) &&
        must_copy(pages, held, length_of(state, g))) {
      PageId& writing = held.ids[static_cast<std::size_t>(length_of(state, g) / kPageTokens)];
      const PageId own = pages.take();
      pages.copy(writing, own);
      pages.drop(writing);
      writing = own;
    }
    if (groups_[g].window > 0) continue;
    held.ids.reserve(pages_for(wanted));  // a page that is taken must find its place
    while (held.ids.size() < pages_for(wanted)) held.ids.push_back(pages.take_cleared());
  }
  state.reserved.assign(num_functions_, wanted);
}

void Sequences::require_filled(std::span<const std::uint64_t> lengths) const {
  for (std::size_t f = 0; f < num_functions_; ++f) {
    const auto needed = static_cast<std::int64_t>(pages_for(lengths[f]));
    if (pages_[f].num_pages() == 0 || needed <= pages_[f].num_free()) continue;
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "KV pool: " + std::to_string(needed) +
                                               " pages are wanted, " +
                                               std::to_string(pages_[f].num_free()) + " are free");
  }
}

void Sequences::take_filled(SequenceState& state) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (pages_[g].num_pages() == 0) continue;
    HeldPages& held = state.pages[g];
    held.first = groups_[g].first_needed(length_of(state, g));
    held.ids.reserve(pages_for(length_of(state, g)));
    held.ids.resize(held.first);
    while (held.ids.size() < pages_for(length_of(state, g))) held.ids.push_back(pages_[g].take());
  }
}

void Sequences::drop_pages(SequenceState& state, std::uint64_t length) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    HeldPages& held = state.pages[g];
    const std::size_t kept = pages_for(length);
    for (std::size_t i = std::max(kept, held.first); i < held.ids.size(); ++i) {
      pages_[g].drop(held.ids[i]);
    }
    held.ids.resize(std::min(kept, held.ids.size()));
    held.first = std::min(held.first, held.ids.size());
  }
}

SequenceState Sequences::share_pages(const SequenceState& source, std::uint64_t length) {
  SequenceState copy;
  copy.undoable.assign(num_functions_, 0);
  copy.replays = source.replays;
  for (const std::uint64_t held : source.lengths) {
    copy.lengths.push_back(length == source.lengths[0] ? held : std::min(held, length));
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    // Pages beyond a function's length hold nothing to share, and the function will write there.
    HeldPages held = source.pages[g];
    held.ids.resize(std::min(pages_for(length_of(copy, g)), held.ids.size()));
    held.first = std::min(groups_[g].first_needed(length_of(copy, g)), held.ids.size());
    copy.pages.push_back(std::move(held));
  }
  copy.reserved = copy.lengths;
  // Pages are held when nothing can be thrown any more.
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const HeldPages& held = copy.pages[g];
    for (std::size_t i = held.first; i < held.ids.size(); ++i) pages_[g].hold(held.ids[i]);
  }
  return copy;
}

void Sequences::begin_step(vernal_sequence_id sequence, std::size_t function,
                           std::uint64_t num_tokens) {
  SequenceState& state = sequences_.get(sequence);
  for (std::size_t g = num_functions_; g < groups_.size(); ++g) {
    if (groups_[g].function != function) continue;
    std::vector<PageId>& held = state.pages[g].ids;
    const std::size_t wanted = pages_for(state.lengths[function] + num_tokens);
    held.reserve(wanted);
    while (held.size() < wanted) held.push_back(pages_[g].take_cleared());
  }
}

void Sequences::commit(vernal_sequence_id sequence, std::size_t function,
                       std::uint64_t num_tokens) {
  SequenceState& state = sequences_.get(sequence);
  state.lengths[function] += num_tokens;
  const std::uint64_t depth = states_.plan().rollback_depth();
  state.undoable[function] = std::min(state.undoable[function] + num_tokens, depth);
  if (states_.plan().has_log()) {
    Replay& replay = state.replays[function];
    replay.pending = std::min(replay.pending + num_tokens, depth);
    replay.side ^= 1U;
  }
  for (std::size_t g = num_functions_; g < groups_.size(); ++g) {
    if (groups_[g].function != function) continue;
    HeldPages& held = state.pages[g];
    const std::size_t first = groups_[g].first_kept(state.lengths[function]);
    for (; held.first < first; ++held.first) pages_[g].drop(held.ids[held.first]);
  }
}

std::int64_t Sequences::page_bytes_held_alone(const SequenceState& state) const {
  std::int64_t bytes = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const HeldPages& held = state.pages[g];
    for (std::size_t i = held.first; i < held.ids.size(); ++i) {
      if (!pages_[g].is_shared(held.ids[i])) bytes += pages_[g].page_bytes();
    }
  }
  return bytes;
}

std::int64_t Sequences::pages_held_by_checkpoints() const {
  if (checkpoints_.size() == 0) return 0;
  const auto num_pages = static_cast<std::size_t>(pages_[0].num_pages());
  std::vector<bool> is_live(num_pages);
  std::vector<bool> is_kept(num_pages);
  const auto mark = [](std::vector<bool>& marks) {
    return [&marks](const SequenceState& s) {
      for (const PageId page : s.pages[0].ids) marks[page] = true;
    };
  };
  sequences_.for_each(mark(is_live));
  checkpoints_.for_each(mark(is_kept));
  std::int64_t count = 0;
  for (std::size_t i = 0; i < is_live.size(); ++i) count += is_kept[i] && !is_live[i] ? 1 : 0;
  return count;
}

}  // namespace vernal::backend

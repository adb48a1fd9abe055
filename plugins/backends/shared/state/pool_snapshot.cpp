// Snapshots: the payload is the whole pages that the next token needs, group after group, then the
// newest recurrent and conv states. Nothing in it depends on where in the pool a sequence lies. If
// recurrent states have logs, they come with them, and with the number of tokens in each function's.
#include <algorithm>
#include <string>

#include "shared/state/paged_pool.hpp"
#include "vernal/state/snapshot_header.hpp"

namespace vernal::backend {

namespace {

/// Calls visit(data, bytes) for every page that holds a token which the next one may see.
template <class Visit>
void for_each_page(std::span<const KvGroup> groups, const std::vector<KvPages>& pages,
                   const SequenceState& state, Visit&& visit) {
  for (std::size_t g = 0; g < pages.size(); ++g) {
    const std::int64_t bytes = groups[g].page_bytes;
    if (bytes == 0) continue;  // they only count positions
    const std::uint64_t length = state.lengths[groups[g].function];
    const std::uint64_t end = (length + kPageTokens - 1) / kPageTokens;
    for (std::uint64_t i = groups[g].first_needed(length); i < end; ++i) {
      visit(pages[g].data() + state.pages[g].ids[i] * bytes, bytes);
    }
  }
}

}  // namespace

/// The payload depends on which windows have pages of their own, and that on the options of the
/// plan. A narrow window gets them before a wide one, so their number says which. It depends on the
/// size of logs too.
std::string PagedPool::snapshot_version() const {
  std::string version = owner_.version;
  const std::size_t num_windows = plan_.kv.num_windows();
  if (num_windows > 0) version += ", windows: " + std::to_string(num_windows);
  if (plan_.states.has_log()) version += ", log: " + std::to_string(plan_.states.rollback_depth());
  return version;
}

/// Bytes of the payload that say how many tokens of each function are in logs.
std::size_t PagedPool::pending_bytes() const {
  return plan_.states.has_log() ? plan_.module.functions.size() * sizeof(std::uint64_t) : 0;
}

void PagedPool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                                const vernal_sink* sink) {
  if ((sequence == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "export: expected a sequence or a checkpoint, not both");
  }
  const SequenceState& state =
      sequence != 0 ? sequences_.sequence(sequence) : sequences_.checkpoint(checkpoint);
  const std::vector<StateStore::Piece> states =
      sequence != 0 ? states_.pieces(state.slot, state.lengths, state.replays)
                    : states_.kept_pieces(state.slot, state.lengths, state.replays);
  const SnapshotKind kind =
      snapshot_kind(owner_.plugin_id, snapshot_version(), plan_.module, plan_.options);
  std::vector<std::byte> copy;
  write_snapshot(kind, state.lengths, *sink, [&](auto&& piece) {
    const auto add = [&](const std::byte* data, std::int64_t bytes, bool is_zero) {
      if (is_zero) {
        copy.assign(static_cast<std::size_t>(bytes), std::byte{0});
        piece(copy.data(), static_cast<std::uint64_t>(bytes));
      } else {
        piece(memory_->view(data, bytes, copy), static_cast<std::uint64_t>(bytes));
      }
    };
    std::vector<std::uint64_t> pending;
    for (const Replay& replay : state.replays) pending.push_back(replay.pending);
    piece(pending.data(), static_cast<std::uint64_t>(pending_bytes()));
    for_each_page(plan_.kv.groups(), pages_, state,
                  [&](const std::byte* data, std::int64_t bytes) { add(data, bytes, false); });
    for (const StateStore::Piece& part : states) add(part.data, part.bytes, part.is_zero);
  });
}

vernal_sequence_id PagedPool::snapshot_import(const vernal_reader* reader) {
  SnapshotReader snapshot(
      *reader, snapshot_kind(owner_.plugin_id, snapshot_version(), plan_.module, plan_.options));
  const vernal_sequence_id id = sequences_.create_filled(snapshot.lengths());
  try {
    const SequenceState& state = sequences_.sequence(id);
    const std::vector<StateStore::Piece> states =
        states_.pieces(state.slot, state.lengths, state.replays);
    std::uint64_t bytes = pending_bytes();
    for_each_page(plan_.kv.groups(), pages_, state, [&](const std::byte*, std::int64_t size) {
      bytes += static_cast<std::uint64_t>(size);
    });
    for (const StateStore::Piece& part : states) bytes += static_cast<std::uint64_t>(part.bytes);
    snapshot.require_payload(bytes);
    std::vector<std::uint64_t> pending(state.lengths.size(), 0);
    snapshot.read(pending.data(), pending_bytes());
    sequences_.set_pending(id, pending);
    std::vector<std::byte> copy;
    const auto read = [&](std::byte* data, std::int64_t size) {
      copy.resize(static_cast<std::size_t>(size));
      snapshot.read(copy.data(), copy.size());
      memory_->write(copy, data);
    };
    for_each_page(plan_.kv.groups(), pages_, state, read);
    for (const StateStore::Piece& part : states) read(part.data, part.bytes);
    snapshot.finish();
  } catch (...) {
    sequences_.release(id);
    throw;
  }
  return id;
}

}  // namespace vernal::backend

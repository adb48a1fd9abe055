// Snapshots: the payload is the whole pages that the next token needs, group after group, then the
// newest recurrent and conv states. Nothing in it depends on where in the pool a sequence lies, nor
// on how much of it could be taken back.
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
/// plan. A narrow window gets them before a wide one, so their number says which.
std::string PagedPool::snapshot_version() const {
  const std::size_t num_windows = plan_.kv.num_windows();
  if (num_windows == 0) return owner_.version;
  return owner_.version + ", windows: " + std::to_string(num_windows);
}

void PagedPool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                                const vernal_sink* sink) {
  if ((sequence == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "export: expected a sequence or a checkpoint, not both");
  }
  const SequenceState& state =
      sequence != 0 ? sequences_.sequence(sequence) : sequences_.checkpoint(checkpoint);
  const std::vector<StateStore::Piece> states =
      sequence != 0 ? states_.pieces(state.slot, state.lengths)
                    : states_.kept_pieces(state.slot, state.lengths);
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
    const std::vector<StateStore::Piece> states = states_.pieces(state.slot, state.lengths);
    std::uint64_t bytes = 0;
    for_each_page(plan_.kv.groups(), pages_, state, [&](const std::byte*, std::int64_t size) {
      bytes += static_cast<std::uint64_t>(size);
    });
    for (const StateStore::Piece& part : states) bytes += static_cast<std::uint64_t>(part.bytes);
    snapshot.require_payload(bytes);
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

// Snapshots: the payload is the whole pages that the next token needs, group after group, then the
// newest recurrent and conv states. Nothing in it depends on where in the pool a sequence lies, nor
// on how much of it could be taken back.
#include "vernal/state/snapshot_header.hpp"

#include <algorithm>
#include <string>

#include "state/pool.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// The payload depends on which windows have pages of their own, and that on the options of the
/// plan. A narrow window gets them before a wide one, so their number says which.
SnapshotKind kind_of(const CompiledModule& compiled) {
  std::string version = VERNAL_PLUGIN_VERSION;
  const std::size_t num_windows = compiled.kv.num_windows();
  if (num_windows > 0) version += ", windows: " + std::to_string(num_windows);
  return snapshot_kind(VERNAL_PLUGIN_ID, version, *compiled.module, compiled.options);
}

/// Calls visit(data, bytes) for every page that holds a token which the next one may see.
template <class Visit>
void for_each_page(std::span<const backend::KvGroup> groups,
                   const std::vector<backend::KvPages>& pages, const backend::SequenceState& state,
                   Visit&& visit) {
  for (std::size_t g = 0; g < pages.size(); ++g) {
    const std::int64_t bytes = groups[g].page_bytes;
    if (bytes == 0) continue;  // they only count positions
    const std::uint64_t length = state.lengths[groups[g].function];
    const std::uint64_t end = (length + kPageTokens - 1) / kPageTokens;
    for (std::uint64_t i = groups[g].first_needed(length); i < end; ++i) {
      visit(pages[g].data() + state.pages[g].ids[i] * bytes, static_cast<std::uint64_t>(bytes));
    }
  }
}

}  // namespace

void Pool::snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                           const vernal_sink* sink) {
  if ((sequence == 0) == (checkpoint == 0)) {
    throw Error(VERNAL_INVALID_ARGUMENT, "export: expected a sequence or a checkpoint, not both");
  }
  const backend::SequenceState& state =
      sequence != 0 ? sequences_.sequence(sequence) : sequences_.checkpoint(checkpoint);
  const std::vector<backend::StateStore::Piece> states =
      sequence != 0 ? states_.pieces(state.slot, state.lengths)
                    : states_.kept_pieces(state.slot, state.lengths);
  write_snapshot(kind_of(program_.compiled()), state.lengths, *sink, [&](auto&& piece) {
    for_each_page(program_.compiled().kv.groups(), pages_, state, piece);
    std::vector<std::byte> zeros;
    for (const backend::StateStore::Piece& part : states) {
      if (part.is_zero) zeros.resize(static_cast<std::size_t>(part.bytes));
      piece(part.is_zero ? zeros.data() : part.data, static_cast<std::uint64_t>(part.bytes));
    }
  });
}

vernal_sequence_id Pool::snapshot_import(const vernal_reader* reader) {
  SnapshotReader snapshot(*reader, kind_of(program_.compiled()));
  const vernal_sequence_id id = sequences_.create_filled(snapshot.lengths());
  try {
    const backend::SequenceState& state = sequences_.sequence(id);
    const std::vector<backend::StateStore::Piece> states =
        states_.pieces(state.slot, state.lengths);
    std::uint64_t bytes = 0;
    for_each_page(program_.compiled().kv.groups(), pages_, state,
                  [&](const std::byte*, std::uint64_t size) { bytes += size; });
    for (const backend::StateStore::Piece& part : states)
      bytes += static_cast<std::uint64_t>(part.bytes);
    snapshot.require_payload(bytes);
    for_each_page(program_.compiled().kv.groups(), pages_, state,
                  [&](std::byte* data, std::uint64_t size) { snapshot.read(data, size); });
    for (const backend::StateStore::Piece& part : states) {
      snapshot.read(part.data, static_cast<std::uint64_t>(part.bytes));
    }
    snapshot.finish();
  } catch (...) {
    sequences_.release(id);
    throw;
  }
  return id;
}

}  // namespace vernal::cpu_avx2

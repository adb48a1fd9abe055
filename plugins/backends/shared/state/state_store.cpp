#include "shared/state/state_store.hpp"

#include <algorithm>
#include <string>

#include "vernal/error.hpp"

namespace vernal::backend {

namespace {

std::vector<SlotId> all_slots(std::int64_t count) {
  std::vector<SlotId> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t slot = count; slot-- > 0;) out.push_back(static_cast<SlotId>(slot));
  return out;
}

SlotId take_last(std::vector<SlotId>& free) {
  const SlotId slot = free.back();
  free.pop_back();
  return slot;
}

/// The part of a state that a copy needs after `length` tokens, in bytes from the start of the
/// state: the newest version, or everything.
struct Newest {
  std::int64_t offset;
  std::int64_t bytes;
};

Newest newest_of(const StatePlan::Entry& entry, std::uint64_t length) {
  if (entry.num_kept_parts == entry.num_parts) return {0, entry.bytes()};
  const auto version =
      static_cast<std::int64_t>(length % static_cast<std::uint64_t>(entry.num_parts));
  return {version * entry.part_bytes, entry.part_bytes};
}

}  // namespace

StateStore::StateStore(Memory& memory, const StatePlan& plan)
    : memory_(memory),
      plan_(plan),
      slots_(memory.reserve(std::max<std::int64_t>(plan.bytes(), 1), RegionUse::kWhole,
                            "recurrent state")),
      kept_(memory.reserve(std::max<std::int64_t>(plan.all_checkpoint_bytes(), 1),
                           RegionUse::kSparse, "checkpoints")),
      free_(all_slots(plan.num_slots())),
      free_kept_(all_slots(plan.is_hybrid() ? plan.max_checkpoints() : 0)) {}

std::byte* StateStore::data(SlotId slot) const {
  return slot == kNoSlot ? nullptr : slots_->data() + slot * plan_.slot_bytes();
}

SlotId StateStore::take() {
  if (!plan_.is_hybrid()) return kNoSlot;
  if (free_.empty()) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the plan has recurrent states for " +
                                               std::to_string(plan_.num_slots()) +
                                               " sequences, forks included; all are taken");
  }
  return take_last(free_);
}

SlotId StateStore::take_copy(SlotId slot, std::span<const std::uint64_t> lengths) {
  const SlotId copy = take();
  if (copy == kNoSlot) return copy;
  for (const StatePlan::Entry& entry : plan_.entries()) {
    if (lengths[entry.function] == 0) continue;
    const Newest part = newest_of(entry, lengths[entry.function]);
    const std::int64_t at = entry.offset + part.offset;
    memory_.copy(data(slot) + at, data(copy) + at, part.bytes);
  }
  return copy;
}

SlotId StateStore::take_restored(SlotId kept, std::span<const std::uint64_t> lengths) {
  const SlotId slot = take();
  restore(kept, slot, lengths);
  return slot;
}

void StateStore::drop(SlotId slot) {
  if (slot != kNoSlot) free_.push_back(slot);
}

void StateStore::restore(SlotId kept, SlotId slot, std::span<const std::uint64_t> lengths) {
  if (slot == kNoSlot) return;
  for (const StatePlan::Entry& entry : plan_.entries()) {
    if (lengths[entry.function] == 0) continue;
    const Newest part = newest_of(entry, lengths[entry.function]);
    memory_.copy(kept_data(kept) + entry.kept_offset, data(slot) + entry.offset + part.offset,
                 part.bytes);
  }
}

SlotId StateStore::keep(SlotId slot, std::span<const std::uint64_t> lengths) {
  if (slot == kNoSlot) return kNoSlot;
  if (free_kept_.empty()) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the plan's " + std::to_string(plan_.max_checkpoints()) +
                                               " checkpoints are all taken");
  }
  const SlotId kept = take_last(free_kept_);
  for (const StatePlan::Entry& entry : plan_.entries()) {
    if (lengths[entry.function] == 0) continue;
    const Newest part = newest_of(entry, lengths[entry.function]);
    memory_.copy(data(slot) + entry.offset + part.offset, kept_data(kept) + entry.kept_offset,
                 part.bytes);
  }
  return kept;
}

void StateStore::add_columns(const StatePlan::Entry& entry, std::byte* columns,
                             std::uint64_t length, std::vector<Piece>& out) const {
  const auto end = static_cast<std::int64_t>(length);
  const std::int64_t width = entry.num_parts - static_cast<std::int64_t>(plan_.rollback_depth());
  for (std::int64_t token = end - width; token < end; ++token) {
    const std::int64_t column = (token + entry.num_parts) % entry.num_parts;
    out.push_back({columns + column * entry.part_bytes, entry.part_bytes, token < 0});
  }
}

// newest: the version to take, or all columns.
void StateStore::add_pieces(const StatePlan::Entry& entry, std::byte* newest, std::uint64_t length,
                            const Replay& replay, std::vector<Piece>& out) const {
  if (entry.kind != VERNAL_STATE_RECURRENT) {
    add_columns(entry, newest, length, out);
    return;
  }
  out.push_back({newest, entry.part_bytes, false});
  const ReplayLog& log = entry.log;
  const auto end = static_cast<std::int64_t>(length);
  const std::int64_t known = end - static_cast<std::int64_t>(replay.pending);
  const auto add_tokens = [&](std::byte* first, std::int64_t bytes) {
    for (std::int64_t token = end - log.depth; token < end; ++token) {
      const std::int64_t place = (token + log.depth) % log.depth;
      out.push_back({first + place * bytes, bytes, token < known});
    }
  };
  add_tokens(newest + log.values_offset, log.value_bytes);
  add_tokens(newest + log.keys_offset + replay.side * log.depth * log.key_bytes, log.key_bytes);
}

std::vector<StateStore::Piece> StateStore::pieces(SlotId slot,
                                                  std::span<const std::uint64_t> lengths,
                                                  std::span<const Replay> replays) const {
  std::vector<Piece> out;
  if (slot == kNoSlot) return out;
  for (const StatePlan::Entry& entry : plan_.entries()) {
    const std::uint64_t length = lengths[entry.function];
    if (entry.part_bytes == 0 || length == 0) continue;
    const Newest part = newest_of(entry, length);
    add_pieces(entry, data(slot) + entry.offset + part.offset, length, replays[entry.function],
               out);
  }
  return out;
}

std::vector<StateStore::Piece> StateStore::kept_pieces(SlotId kept,
                                                       std::span<const std::uint64_t> lengths,
                                                       std::span<const Replay> replays) const {
  std::vector<Piece> out;
  if (kept == kNoSlot) return out;
  for (const StatePlan::Entry& entry : plan_.entries()) {
    const std::uint64_t length = lengths[entry.function];
    if (entry.part_bytes == 0 || length == 0) continue;
    add_pieces(entry, kept_data(kept) + entry.kept_offset, length, replays[entry.function], out);
  }
  return out;
}

void StateStore::drop_kept(SlotId kept) {
  if (kept != kNoSlot) free_kept_.push_back(kept);
}

}  // namespace vernal::backend

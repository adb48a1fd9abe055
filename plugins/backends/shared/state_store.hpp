// The memory of recurrent and convolution states: a slot for each sequence, and what checkpoints
// keep of one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reserved_memory.hpp"
#include "shared/state_plan.hpp"

namespace vernal::cpu_avx2 {

/// A slot of a sequence or of a checkpoint, by number.
using SlotId = std::int32_t;
inline constexpr SlotId kNoSlot = -1;

/// Nothing here grows: both regions have the plan's size from the start. Without states that need
/// slots every call does nothing and gives kNoSlot. Engine thread only.
class StateStore {
 public:
  /// Borrows the plan, which outlives it.
  /// Errors  RESOURCE_EXHAUSTED: no address space.
  explicit StateStore(const StatePlan& plan);

  const StatePlan& plan() const { return plan_; }

  /// A slot of unknown content: of a sequence without tokens.
  /// Errors  RESOURCE_EXHAUSTED: all are taken
  SlotId take();
  /// Lengths: tokens of the sequence by function.
  /// Errors  RESOURCE_EXHAUSTED: all are taken
  SlotId take_copy(SlotId slot, std::span<const std::uint64_t> lengths);
  SlotId take_restored(SlotId kept, std::span<const std::uint64_t> lengths);
  void drop(SlotId slot);

  /// Overwrites a slot with what a checkpoint kept.
  void restore(SlotId kept, SlotId slot, std::span<const std::uint64_t> lengths);
  /// Copies the newest states of a slot aside, for a checkpoint.
  /// Errors  RESOURCE_EXHAUSTED: the plan's max_checkpoints are taken
  SlotId keep(SlotId slot, std::span<const std::uint64_t> lengths);
  void drop_kept(SlotId kept);

  /// The newest states of a slot, or of what a checkpoint keeps, in the order of a snapshot: of
  /// each state the newest version, or the last width - 1 columns, oldest first.
  struct Piece {
    std::byte* data;
    std::int64_t bytes;
    bool is_zero;  ///< a column before the first token, whatever the memory holds
  };
  std::vector<Piece> pieces(SlotId slot, std::span<const std::uint64_t> lengths) const;
  std::vector<Piece> kept_pieces(SlotId kept, std::span<const std::uint64_t> lengths) const;

  /// Where a slot begins; null for kNoSlot.
  std::byte* data(SlotId slot) const;
  /// Bytes of all slots, and of all checkpoints, as allocated.
  std::int64_t slots_allocated() const { return slots_.bytes(); }
  std::int64_t kept_allocated() const { return kept_.bytes(); }
  std::int64_t num_free() const { return static_cast<std::int64_t>(free_.size()); }

 private:
  std::byte* kept_data(SlotId kept) const { return kept_.data() + kept * plan_.checkpoint_bytes(); }

  void add_pieces(const StatePlan::Entry& entry, std::byte* newest, std::uint64_t length,
                  std::vector<Piece>& out) const;

  const StatePlan& plan_;
  ReservedMemory slots_;
  ReservedMemory kept_;
  std::vector<SlotId> free_;  // the next one to take is last
  std::vector<SlotId> free_kept_;
};

}  // namespace vernal::cpu_avx2

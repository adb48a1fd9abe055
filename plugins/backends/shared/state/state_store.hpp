// The memory of recurrent and convolution states: a slot for each sequence, and copies of slots for
// checkpoints.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shared/state/memory.hpp"
#include "shared/state/state_plan.hpp"

namespace vernal::backend {

/// A slot of a sequence or of a checkpoint, by number.
using SlotId = std::int32_t;
inline constexpr SlotId kNoSlot = -1;

/// Where the logs of a function's recurrent states stand, if the plan has logs.
struct Replay {
  std::uint64_t pending = 0;  ///< newest tokens that the states do not know yet; the log has them
  std::uint32_t side = 0;     ///< of the keys: the one that the newest step wrote
};

/// Both regions have the plan's size from the start and never grow. If the module has no such
/// states, every call does nothing and returns kNoSlot. Engine thread only.
class StateStore {
 public:
  /// Borrows both, which outlive it.
  /// Errors  those of Memory::reserve()
  StateStore(Memory& memory, const StatePlan& plan);

  const StatePlan& plan() const { return plan_; }

  /// A slot for a sequence without tokens. Its content is unknown.
  /// Errors  RESOURCE_EXHAUSTED: all are taken
  SlotId take();
  /// A slot with the newest states of another one, or of what a checkpoint keeps.
  ///   lengths  tokens of the sequence, by function
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

  /// Where the newest states of a slot lie, or those that a checkpoint keeps, in the order of a
  /// snapshot: the newest version of each recurrent state, with a log its values and then its keys,
  /// oldest first; the last width - 1 columns of each convolution, oldest first. Their number and
  /// sizes depend on the lengths alone.
  ///   replays  by function
  struct Piece {
    std::byte* data;
    std::int64_t bytes;
    bool is_zero;  ///< nothing is held here, as in a column before the first token: zeros,
                   ///< whatever the memory holds
  };
  std::vector<Piece> pieces(SlotId slot, std::span<const std::uint64_t> lengths,
                            std::span<const Replay> replays) const;
  std::vector<Piece> kept_pieces(SlotId kept, std::span<const std::uint64_t> lengths,
                                 std::span<const Replay> replays) const;

  /// Where a slot begins; null for kNoSlot.
  std::byte* data(SlotId slot) const;
  /// Bytes of all slots, and of all checkpoints, as allocated.
  std::int64_t slots_allocated() const { return slots_->bytes(); }
  std::int64_t kept_allocated() const { return kept_->bytes(); }
  std::int64_t num_free() const { return static_cast<std::int64_t>(free_.size()); }

 private:
  std::byte* kept_data(SlotId kept) const {
    return kept_->data() + kept * plan_.checkpoint_bytes();
  }

  void add_columns(const StatePlan::Entry& entry, std::byte* columns, std::uint64_t length,
                   std::vector<Piece>& out) const;
  void add_pieces(const StatePlan::Entry& entry, std::byte* newest, std::uint64_t length,
                  const Replay& replay, std::vector<Piece>& out) const;

  Memory& memory_;
  const StatePlan& plan_;
  std::unique_ptr<Region> slots_;
  std::unique_ptr<Region> kept_;
  std::vector<SlotId> free_;  // the next one to take is last
  std::vector<SlotId> free_kept_;
};

}  // namespace vernal::backend

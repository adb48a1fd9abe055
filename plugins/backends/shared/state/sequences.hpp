// Sequences and checkpoints of a pool: how long they are, and which pages and slots they hold.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shared/state/kv_pages.hpp"
#include "shared/state/kv_plan.hpp"
#include "shared/state/state_store.hpp"
#include "vernal/abi/backend.h"
#include "vernal/state/id_table.hpp"

namespace vernal::backend {

/// The pages of a group that a sequence or a checkpoint holds.
struct HeldPages {
  std::vector<PageId> ids;  ///< ids[i] holds positions 64 i and on
  std::size_t first = 0;    ///< those before were given up; their ids mean nothing
};

/// What a sequence or a checkpoint holds. Vectors are by function of the module but for `pages`.
struct SequenceState {
  std::vector<std::uint64_t> lengths;   ///< tokens held
  std::vector<std::uint64_t> reserved;  ///< positions below this may be written
  std::vector<std::uint64_t> undoable;  ///< newest tokens before which states are kept
  std::vector<Replay> replays;          ///< of the slot; pending is undoable or more
  std::vector<HeldPages> pages;         ///< by group of the plan
  SlotId slot = kNoSlot;                ///< of the store; a checkpoint's: of what it keeps
  bool is_fork = false;
};

/// Keeps the rule that makes sharing safe: a sequence writes only to pages that it holds alone, at
/// its own length or after it. A shared page is copied when room after it is reserved. Recurrent
/// states are never shared. Engine thread only. backend.h and sdk/spec/state.md say what the calls
/// mean.
///
/// Pages without a window are taken when room is reserved. Pages of a window are taken when a step
/// needs them, and given up when no later query sees them. The plan has enough of them for all
/// sequences and checkpoints, so they need no reservation. A checkpoint or a fork holds the pages
/// that the next token sees, whatever its source gives up.
class Sequences {
 public:
  struct Limits {
    std::uint64_t context_length;
    std::uint64_t max_sequences;  ///< forks included, where they take more than pages
    std::uint64_t max_checkpoints;
  };
  /// Borrows all. groups and their pages: as in the plan.
  Sequences(std::span<KvPages> pages, std::span<const KvGroup> groups, StateStore& states,
            Limits limits);

  vernal_sequence_id create();
  void release(vernal_sequence_id sequence);
  void reserve(vernal_sequence_id sequence, std::uint64_t num_tokens);
  std::uint64_t restorable(vernal_sequence_id sequence, std::uint64_t new_length) const;
  void truncate(vernal_sequence_id sequence, std::uint64_t new_length);
  vernal_sequence_id fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                          std::uint64_t position);
  void restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint);
  vernal_checkpoint_id create_checkpoint(vernal_sequence_id sequence);
  void release_checkpoint(vernal_checkpoint_id checkpoint);
  /// A sequence of these lengths, whose pages and slot are its own and of unknown content.
  /// Errors  RESOURCE_EXHAUSTED: no room;  INVALID_ARGUMENT: longer than the context
  vernal_sequence_id create_filled(std::span<const std::uint64_t> lengths);
  /// The slot of such a sequence was filled with states and logs.
  ///   pending  tokens that only the logs know, by function
  /// Errors  INVALID_ARGUMENT: more than a log holds, or than the sequence has
  void set_pending(vernal_sequence_id sequence, std::span<const std::uint64_t> pending);
  /// Takes the pages of windows that a step of `function` with so many tokens writes to. The room
  /// for them is reserved.
  void begin_step(vernal_sequence_id sequence, std::size_t function, std::uint64_t num_tokens);
  /// The step added them. Pages behind the windows are given up.
  void commit(vernal_sequence_id sequence, std::size_t function, std::uint64_t num_tokens);

  const SequenceState& sequence(vernal_sequence_id id) const { return sequences_.get(id); }
  const SequenceState& checkpoint(vernal_checkpoint_id id) const { return checkpoints_.get(id); }

  /// Bytes of the pages that only this checkpoint holds.
  std::int64_t page_bytes_held_alone(const SequenceState& state) const;
  /// Pages of `main` that no live sequence holds.
  std::int64_t pages_held_by_checkpoints() const;

 private:
  bool has_windows() const { return groups_.size() > num_functions_; }
  bool cuts_anywhere() const { return !states_.plan().is_hybrid() && !has_windows(); }
  void require_sequence(bool is_fork) const;
  /// Tokens of the function of a group.
  std::uint64_t length_of(const SequenceState& state, std::size_t group) const {
    return state.lengths[groups_[group].function];
  }
  bool can_cut_states(const SequenceState& state, std::uint64_t new_length) const;
  bool can_cut_windows(const SequenceState& state, std::uint64_t new_length) const;
  bool can_cut(const SequenceState& state, std::uint64_t new_length) const;
  [[noreturn]] void refuse_cut(const std::string& name, const SequenceState& state,
                               std::uint64_t new_length) const;
  void require_pages(const SequenceState& state, std::uint64_t wanted, bool grows) const;
  void take_pages(SequenceState& state, std::uint64_t wanted, bool grows);
  SequenceState share_pages(const SequenceState& source, std::uint64_t length);
  void drop_pages(SequenceState& state, std::uint64_t length);
  /// The pages of a sequence of these lengths, all its own.
  void require_filled(std::span<const std::uint64_t> lengths) const;
  void take_filled(SequenceState& state);

  std::span<KvPages> pages_;
  std::span<const KvGroup> groups_;
  StateStore& states_;
  Limits limits_;
  std::size_t num_functions_;
  IdTable<SequenceState> sequences_{"sequence"};
  IdTable<SequenceState> checkpoints_{"checkpoint"};
};

}  // namespace vernal::backend

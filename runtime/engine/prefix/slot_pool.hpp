// The seats of a model and the sequences in them.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/generation.hpp"
#include "engine/loaded_model.hpp"
#include "engine/prefix/checkpoint_cache.hpp"

namespace vernal {

/// What became of an attempt to seat a choice.
enum class SeatResult : std::uint8_t {
  kSeated,
  kNoSlot,  ///< every slot is taken
  kNoRoom,  ///< the pool has not that many positions left
};

/// Gives each seated choice a sequence. When a choice gives up its seat, its sequence stays parked
/// in the slot until its room is needed. A later prompt that begins with the same tokens goes on
/// from the parked sequence, cut at a multiple of Scheduler::kChunkAlignment. If the cut would drop
/// more tokens than an older slot holds, the prompt gets a copy in the older slot instead. So two
/// conversations with the same system prompt both keep their sequences.
///
/// A sequence with recurrent states, or with windows whose older pages are freed, cannot be cut
/// anywhere. A later prompt then goes on from a whole parked sequence, as the next turn of a
/// conversation does, or from a checkpoint. Checkpoints are made at the end of a prompt, at the
/// last multiple of Scheduler::kChunkAlignment before it, and where a prompt stops being the same
/// as an earlier one. Engine thread.
class SlotPool {
 public:
  /// `model` outlives the pool. If it does not truncate anywhere and has no checkpoints, every
  /// prompt is computed from its beginning.
  SlotPool(StepModel& model, std::uint32_t num_slots, std::uint32_t max_checkpoints);
  /// Releases all sequences. Choices that are still seated must not be used afterwards.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  /// Seats a waiting choice and reserves `num_positions` for it. choice.num_computed() tells what
  /// was reused.
  SeatResult seat(Choice& choice, std::size_t num_positions);
  /// The same with a copy of the prompt in `source`'s sequence, which is seated and past the
  /// prompt. kNoRoom: also if the model cannot copy it.
  SeatResult seat_copy(Choice& choice, const Choice& source, std::size_t num_positions);
  /// More room for a seated choice, so that it has `num_positions`. False: there is none.
  bool grow(Choice& choice, std::size_t num_positions);

  /// Cuts the sequence of a seated choice to fewer positions. False: the model cannot, and nothing
  /// changed.
  bool cut(Choice& choice, std::size_t length);

  /// Cuts the guesses off that a step has put behind the known tokens of a seated choice. If the model
  /// cannot, the choice gives up its seat and its sequence.
  void drop_guesses(Choice& choice) noexcept;

  /// After a step has added to a seated choice: keeps its state if later prompts may begin there and
  /// there is memory for it.
  /// Errors   DEVICE_LOST
  void keep_state(const Choice& choice);

  /// Frees the slot of a seated choice, which waits then. The sequence is parked, or released if
  /// there is no memory to note its tokens.
  void park(Choice& choice) noexcept;
  /// The same, but the sequence is released, as it must be after a failed step.
  void evict(Choice& choice) noexcept;

  std::uint32_t num_seated() const noexcept { return num_seated_; }
  std::size_t num_checkpoints() const noexcept { return checkpoints_.size(); }

 private:
  struct Slot {
    SequenceId sequence = 0;      // 0: none
    bool is_taken = false;        // by a seated choice; else the sequence is parked
    std::vector<TokenId> tokens;  // of a parked sequence
    std::uint64_t parked_at = 0;  // a count
  };

  /// Where a choice goes, and whose first tokens it goes on from.
  struct Place {
    Slot* slot = nullptr;                          // free; null: none is
    Slot* source = nullptr;                        // parked, perhaps the slot itself; null: none
    std::size_t num_reusable = 0;                  // of source
    CheckpointCache::Entry* checkpoint = nullptr;  // instead of a source
  };

  Place find_place(const Choice& choice);
  // The slot to give up, and everything that could be reused. find_place() chooses among it.
  Place find_sources(const Choice& choice);
  // The free slot to give up: an empty one, else the one parked longest. Null: none.
  Slot* find_slot();
  std::size_t reusable(const Slot& slot, const Choice& choice) const;
  // The most tokens a choice has in common with any text whose state is held.
  std::size_t most_common(const Choice& choice) const;
  bool reserve(SequenceId sequence, std::size_t num_more);
  Slot* oldest_parked();
  // Releases the sequence parked longest. False: there is none.
  bool release_parked();
  // Releases what holds positions and was used longest ago: a parked sequence or a checkpoint.
  bool release_oldest();
  // Puts a sequence with the reusable tokens into the slot, or an empty one. Returns the number of
  // tokens that it holds.
  std::size_t begin(const Place& place);
  // False: the model could not; the slot is as it was, or empty.
  bool reuse(const Place& place);
  void clear(Slot& slot) noexcept;
  // Gives the choice the sequence that make_sequence puts into the slot, if there is room.
  // make_sequence sets seat.num_computed.
  template <class MakeSequence>
  SeatResult fill(Slot& slot, Choice& choice, std::size_t num_positions, Seat& seat,
                  MakeSequence make_sequence);

  StepModel& model_;
  const bool cuts_anywhere_;
  CheckpointCache checkpoints_;
  std::vector<Slot> slots_;
  std::uint32_t num_seated_ = 0;
  std::uint64_t now_ = 0;  // counts what was parked, kept and restored
};

}  // namespace vernal

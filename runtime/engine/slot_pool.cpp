#include "engine/slot_pool.hpp"

#include <algorithm>

#include "engine/scheduler.hpp"

namespace vernal {

SlotPool::SlotPool(StepModel& model, std::uint32_t num_slots)
    : model_(model), reuses_(model.info().truncates_anywhere), slots_(num_slots) {}

SlotPool::~SlotPool() {
  for (Slot& slot : slots_) {
    clear(slot);
  }
}

Seating SlotPool::seat(Choice& choice, std::size_t num_positions) {
  std::size_t num_reusable = 0;
  Slot* slot = find_slot(choice, num_reusable);
  if (slot == nullptr) {
    return Seating::kNoSlot;
  }
  return fill(*slot, choice, num_positions, [&] {
    if (num_reusable > 0 && model_.truncate(slot->sequence, num_reusable)) {
      choice.num_computed = num_reusable;
      return;
    }
    clear(*slot);
    slot->is_taken = true;
    std::optional<SequenceId> sequence = model_.create_sequence();
    while (!sequence && release_parked()) {
      sequence = model_.create_sequence();
    }
    slot->sequence = sequence.value_or(0);
    choice.num_computed = 0;
  });
}

Seating SlotPool::seat_copy(Choice& choice, const Choice& source, std::size_t num_positions) {
  std::size_t num_reusable = 0;
  Slot* slot = find_slot(choice, num_reusable);
  if (slot == nullptr) {
    return Seating::kNoSlot;
  }
  return fill(*slot, choice, num_positions, [&] {
    clear(*slot);
    slot->is_taken = true;
    slot->sequence = model_.fork(source.sequence, source.num_prompt()).value_or(0);
    choice.num_computed = source.num_prompt();
  });
}

template <class MakeSequence>
Seating SlotPool::fill(Slot& slot, Choice& choice, std::size_t num_positions,
                       MakeSequence make_sequence) {
  slot.is_taken = true;  // making room must not release it
  bool is_filled = false;
  try {
    make_sequence();
    is_filled = slot.sequence != 0 && reserve(slot.sequence, num_positions - choice.num_computed);
  } catch (...) {
    clear(slot);
    choice.num_computed = 0;
    throw;
  }
  if (!is_filled) {
    clear(slot);
    choice.num_computed = 0;
    return Seating::kNoRoom;
  }
  slot.tokens.clear();
  choice.slot = static_cast<std::uint32_t>(&slot - slots_.data());
  choice.sequence = slot.sequence;
  choice.num_reserved = num_positions;
  choice.state = Choice::State::kSeated;
  ++num_seated_;
  return Seating::kSeated;
}

bool SlotPool::grow(Choice& choice, std::size_t num_positions) {
  if (!reserve(choice.sequence, num_positions - choice.num_computed)) {
    return false;
  }
  choice.num_reserved = num_positions;
  return true;
}

void SlotPool::park(Choice& choice) {
  Slot& slot = slots_[choice.slot];
  if (!reuses_) {
    evict(choice);
    return;
  }
  slot.is_taken = false;
  slot.tokens = choice.computed_tokens();
  slot.parked_at = ++num_parked_;
  choice.sequence = 0;
  --num_seated_;
}

void SlotPool::evict(Choice& choice) {
  clear(slots_[choice.slot]);
  choice.sequence = 0;
  choice.num_computed = 0;
  choice.num_reserved = 0;
  --num_seated_;
}

SlotPool::Slot* SlotPool::find_slot(const Choice& choice, std::size_t& num_reusable) {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    if (slot.is_taken) {
      continue;
    }
    const std::size_t reusable_here = reusable(slot, choice);
    const bool is_older = best != nullptr && slot.parked_at < best->parked_at;  // empty ones: 0
    if (best == nullptr || reusable_here > num_reusable ||
        (reusable_here == num_reusable && is_older)) {
      best = &slot;
      num_reusable = reusable_here;
    }
  }
  return best;
}

std::size_t SlotPool::reusable(const Slot& slot, const Choice& choice) const {
  if (!reuses_ || slot.sequence == 0) {
    return 0;
  }
  const auto count_common = [&](std::size_t from, std::span<const TokenId> tokens) {
    const auto begin = slot.tokens.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(
        std::mismatch(begin, slot.tokens.end(), tokens.begin(), tokens.end()).first - begin);
  };
  std::size_t common = count_common(0, choice.generation().prompt());
  if (common == choice.num_prompt()) {
    common += count_common(common, choice.generated());
  }
  const std::size_t usable =
      std::min(common, choice.num_known() - 1);  // one is left to give logits
  return usable / Scheduler::kChunkAlignment * Scheduler::kChunkAlignment;
}

bool SlotPool::reserve(SequenceId sequence, std::size_t num_more) {
  bool has_room = model_.reserve(sequence, num_more);
  while (!has_room && release_parked()) {
    has_room = model_.reserve(sequence, num_more);
  }
  return has_room;
}

bool SlotPool::release_parked() {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    const bool is_parked = slot.sequence != 0 && !slot.is_taken;
    if (is_parked && (oldest == nullptr || slot.parked_at < oldest->parked_at)) {
      oldest = &slot;
    }
  }
  if (oldest == nullptr) {
    return false;
  }
  clear(*oldest);
  return true;
}

void SlotPool::clear(Slot& slot) {
  if (slot.sequence != 0) {
    model_.release_sequence(slot.sequence);
  }
  slot = Slot();
}

}  // namespace vernal

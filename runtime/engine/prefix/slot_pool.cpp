#include "engine/prefix/slot_pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "engine/scheduler.hpp"

namespace vernal {
namespace {

std::size_t align(std::size_t position) {
  return position / Scheduler::kChunkAlignment * Scheduler::kChunkAlignment;
}

}  // namespace

SlotPool::SlotPool(StepModel& model, std::uint32_t num_slots, std::uint32_t max_checkpoints)
    : model_(model),
      cuts_anywhere_(model.info().truncates_anywhere),
      checkpoints_(model, max_checkpoints),
      slots_(num_slots) {}

SlotPool::~SlotPool() {
  for (Slot& slot : slots_) {
    clear(slot);
  }
}

SeatResult SlotPool::seat(Choice& choice, std::size_t num_positions) {
  const Place place = find_place(choice);
  if (place.slot == nullptr) {
    return SeatResult::kNoSlot;
  }
  Seat seat;
  if (checkpoints_.is_on()) {
    // A third prompt may begin with what two prompts have in common, so the state there is kept.
    const std::size_t last = choice.num_prompt() - 1;
    seat.borders = {align(last), align(std::min(most_common(choice), last))};
  }
  return fill(*place.slot, choice, num_positions, seat, [&] { seat.num_computed = begin(place); });
}

std::size_t SlotPool::most_common(const Choice& choice) const {
  std::size_t most = checkpoints_.most_common(choice);
  for (const Slot& slot : slots_) most = std::max(most, count_common(choice, slot.tokens));
  return most;
}

std::size_t SlotPool::begin(const Place& place) {
  if (place.source != nullptr && reuse(place)) {
    return place.num_reusable;
  }
  Slot& slot = *place.slot;
  clear(slot);
  slot.is_taken = true;
  std::optional<SequenceId> sequence = model_.create_sequence();
  while (!sequence && release_parked()) {
    sequence = model_.create_sequence();
  }
  slot.sequence = sequence.value_or(0);
  if (place.checkpoint == nullptr || !sequence) {
    return 0;
  }
  model_.restore(*sequence, place.checkpoint->id);
  place.checkpoint->used_at = ++now_;
  return place.checkpoint->tokens.size();
}

bool SlotPool::reuse(const Place& place) {
  if (place.source == place.slot) {
    return model_.truncate(place.slot->sequence, place.num_reusable);
  }
  clear(*place.slot);
  place.slot->is_taken = true;
  place.slot->sequence = model_.fork(place.source->sequence, place.num_reusable).value_or(0);
  place.source->parked_at = ++now_;
  return place.slot->sequence != 0;
}

SeatResult SlotPool::seat_copy(Choice& choice, const Choice& source, std::size_t num_positions) {
  if (!cuts_anywhere_ && source.num_computed() != source.num_prompt()) {
    return SeatResult::kNoRoom;  // it cannot be copied there
  }
  Slot* slot = find_slot();
  if (slot == nullptr) {
    return SeatResult::kNoSlot;
  }
  Seat seat;
  return fill(*slot, choice, num_positions, seat, [&] {
    clear(*slot);
    slot->is_taken = true;
    slot->sequence = model_.fork(source.seat().sequence, source.num_prompt()).value_or(0);
    seat.num_computed = source.num_prompt();
  });
}

template <class MakeSequence>
SeatResult SlotPool::fill(Slot& slot, Choice& choice, std::size_t num_positions, Seat& seat,
                          MakeSequence make_sequence) {
  slot.is_taken = true;  // making room must not release it
  bool is_filled = false;
  try {
    make_sequence();
    is_filled = slot.sequence != 0 && reserve(slot.sequence, num_positions - seat.num_computed);
  } catch (...) {
    clear(slot);
    throw;
  }
  if (!is_filled) {
    clear(slot);
    return SeatResult::kNoRoom;
  }
  slot.tokens.clear();
  seat.slot = static_cast<std::uint32_t>(&slot - slots_.data());
  seat.sequence = slot.sequence;
  seat.num_reserved = num_positions;
  choice.take_seat(seat);
  ++num_seated_;
  return SeatResult::kSeated;
}

bool SlotPool::grow(Choice& choice, std::size_t num_positions) {
  if (!reserve(choice.seat().sequence, num_positions - choice.num_computed())) {
    return false;
  }
  choice.set_reserved(num_positions);
  return true;
}

bool SlotPool::cut(Choice& choice, std::size_t length) {
  const SequenceId sequence = choice.seat().sequence;
  const bool is_cut =
      model_.restorable(sequence, length) == length && model_.truncate(sequence, length);
  if (is_cut) choice.cut(length);
  return is_cut;
}

void SlotPool::drop_guesses(Choice& choice) noexcept {
  if (choice.seat().num_guessed == 0) return;
  try {
    if (cut(choice, choice.num_computed())) return;
  } catch (const std::exception&) {
    // A lost device answers the next call too, which reports it.
  }
  evict(choice);
}

void SlotPool::keep_state(const Choice& choice) {
  const auto& borders = choice.seat().borders;
  const bool is_at_place =
      choice.num_computed() == choice.num_prompt() ||
      std::find(borders.begin(), borders.end(), choice.num_computed()) != borders.end();
  if (!checkpoints_.is_on() || !is_at_place) return;
  try {
    checkpoints_.keep(choice.seat().sequence, choice.computed_tokens(), ++now_);
  } catch (const std::bad_alloc&) {
    return;  // a later prompt computes more tokens
  }
}

void SlotPool::park(Choice& choice) noexcept {
  drop_guesses(choice);
  if (!choice.is_seated()) return;
  if (!cuts_anywhere_ && !checkpoints_.is_on()) {
    evict(choice);
    return;
  }
  std::vector<TokenId> tokens;
  try {
    tokens = choice.computed_tokens();
  } catch (const std::bad_alloc&) {
    evict(choice);
    return;
  }
  Slot& slot = slots_[choice.seat().slot];
  slot.is_taken = false;
  slot.tokens = std::move(tokens);
  slot.parked_at = ++now_;
  choice.leave_seat();
  --num_seated_;
}

void SlotPool::evict(Choice& choice) noexcept {
  clear(slots_[choice.seat().slot]);
  choice.leave_seat();
  --num_seated_;
}

SlotPool::Slot* SlotPool::find_slot() {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    const bool is_older = best == nullptr || slot.parked_at < best->parked_at;  // empty ones: 0
    if (!slot.is_taken && is_older) {
      best = &slot;
    }
  }
  return best;
}

SlotPool::Place SlotPool::find_sources(const Choice& choice) {
  Place place{find_slot(), nullptr, 0, checkpoints_.find(choice)};
  for (Slot& slot : slots_) {
    const std::size_t reusable_here = slot.is_taken ? 0 : reusable(slot, choice);
    if (reusable_here > place.num_reusable) {
      place.source = &slot;
      place.num_reusable = reusable_here;
    }
  }
  return place;
}

SlotPool::Place SlotPool::find_place(const Choice& choice) {
  if (!choice.generation().document().reuses_prompt) return {find_slot(), nullptr, 0, nullptr};
  Place place = find_sources(choice);
  if (place.source == nullptr) {
    return place;
  }
  // Going on in the source's own slot drops the tokens after the cut. If that is cheaper than
  // giving up the other slot for a copy, cut. Tokens after the last chunk border do not count: the
  // next turn of a conversation always loses them.
  const std::size_t lost_by_cut =
      std::max(align(place.source->tokens.size()), place.num_reusable) - place.num_reusable;
  const bool costs_more = lost_by_cut > place.slot->tokens.size();
  const std::size_t kept = place.checkpoint != nullptr ? place.checkpoint->tokens.size() : 0;
  if (kept > place.num_reusable || (costs_more && kept == place.num_reusable)) {
    place.source = nullptr;
    return place;
  }
  place.checkpoint = nullptr;
  if (!costs_more) {
    place.slot = place.source;
  } else if (!cuts_anywhere_) {  // then it cannot be copied there either
    if (lost_by_cut > place.num_reusable) {
      place.source = nullptr;
    } else {
      place.slot = place.source;
    }
  }
  return place;
}

std::size_t SlotPool::reusable(const Slot& slot, const Choice& choice) const {
  if (slot.sequence == 0) {
    return 0;
  }
  const std::size_t usable = std::min(count_common(choice, slot.tokens), choice.num_skippable());
  if (!cuts_anywhere_ && usable == slot.tokens.size()) {
    return usable;
  }
  const std::size_t cut = align(usable);
  return cuts_anywhere_ || model_.restorable(slot.sequence, cut) == cut ? cut : 0;
}

bool SlotPool::reserve(SequenceId sequence, std::size_t num_more) {
  bool has_room = model_.reserve(sequence, num_more);
  while (!has_room && release_oldest()) {
    has_room = model_.reserve(sequence, num_more);
  }
  return has_room;
}

SlotPool::Slot* SlotPool::oldest_parked() {
  Slot* oldest = nullptr;
  for (Slot& slot : slots_) {
    const bool is_parked = slot.sequence != 0 && !slot.is_taken;
    if (is_parked && (oldest == nullptr || slot.parked_at < oldest->parked_at)) {
      oldest = &slot;
    }
  }
  return oldest;
}

bool SlotPool::release_parked() {
  Slot* oldest = oldest_parked();
  if (oldest == nullptr) {
    return false;
  }
  clear(*oldest);
  return true;
}

bool SlotPool::release_oldest() {
  const Slot* parked = oldest_parked();
  const bool has_older = parked != nullptr && parked->parked_at < checkpoints_.oldest();
  if (has_older || checkpoints_.size() == 0) {
    return release_parked();
  }
  checkpoints_.release_oldest();
  return true;
}

void SlotPool::clear(Slot& slot) noexcept {
  if (slot.sequence != 0) {
    model_.release_sequence(slot.sequence);
  }
  slot = Slot();
}

}  // namespace vernal

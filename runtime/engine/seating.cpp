#include "engine/seating.hpp"

#include <algorithm>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {
namespace {

// Room that an answer gets beyond what it has. Most answers end far below their budget, so reserving
// the budget would keep others out for nothing.
constexpr std::size_t kGrowthPositions = 128;

Error no_room() {
  return {VERNAL_RESOURCE_EXHAUSTED,
          "The server has no memory left for a conversation of this length."};
}

bool is_device_lost(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  return known != nullptr && known->code() == VERNAL_DEVICE_LOST;
}

std::size_t positions_wanted(const Choice& choice) {
  // The last token of an answer is never computed.
  const std::uint64_t budget = std::max<std::uint64_t>(choice.generation().max_new_tokens(), 1);
  const std::size_t most = choice.num_prompt() + budget - 1;
  return std::min(choice.num_known() + kGrowthPositions, std::max(most, choice.num_known()));
}

// The prompt is computed once: a choice that has not begun waits while a sibling computes it.
bool waits_for_sibling(const Choice& choice) {
  if (!choice.generated().empty()) {
    return false;
  }
  const auto siblings = choice.generation().choices();
  return std::any_of(siblings.begin(), siblings.end(), [](const auto& sibling) {
    return sibling->is_seated() && !sibling->has_prompt();
  });
}

// A paused request does not run, because its client does not read.
bool is_paused(Generation& generation) {
  return generation.request().events().full_since().has_value();
}

}  // namespace

Seating::Seating(const LoadedModel& model, EngineMetrics& metrics, SeatingListener& listener)
    : model_(model),
      metrics_(metrics),
      listener_(listener),
      slots_(*model.steps, model.slots, model.max_checkpoints) {}

void Seating::seat_waiting(Generations generations) {
  for (const auto& generation : generations) {
    if (is_paused(*generation)) {
      continue;
    }
    for (const auto& choice : generation->choices()) {
      if (!choice->is_waiting() || waits_for_sibling(*choice)) {
        continue;
      }
      SeatResult result = try_seat(*choice);
      while (result != SeatResult::kSeated && unseat_paused(generations)) {
        result = try_seat(*choice);
      }
      if (result == SeatResult::kNoRoom && slots_.num_seated() == 0) {
        listener_.on_failed(*generation, no_room());  // nobody is left whose end could make room
        continue;
      }
      if (result != SeatResult::kSeated) {
        return;  // those behind do not overtake
      }
    }
  }
}

// A client that does not read keeps its seat only as long as nobody else waits for one.
bool Seating::unseat_paused(Generations generations) {
  const SteadyClock::time_point now = SteadyClock::now();
  for (const auto& generation : generations) {
    const auto full_since = generation->request().events().full_since();
    if (!full_since || *full_since + model_.limits.pause_grace > now) {
      continue;
    }
    for (const auto& choice : generation->choices()) {
      if (choice->is_seated()) {
        slots_.park(*choice);
        ++metrics_.preemptions;
        return true;
      }
    }
  }
  return false;
}

// An error of the backend, or a lack of memory, ends the request that met it. Its slot is free again
// then.
SeatResult Seating::try_seat(Choice& choice) {
  try {
    return seat(choice);
  } catch (const std::exception& error) {
    if (is_device_lost(error)) {
      throw;
    }
    listener_.on_failed(choice.generation(), error);
    return SeatResult::kSeated;
  }
}

SeatResult Seating::seat(Choice& choice) {
  const std::size_t num_positions = positions_wanted(choice);
  SeatResult result = seat_beside(choice, num_positions);
  if (result != SeatResult::kNoRoom) {
    return result;
  }
  result = slots_.seat(choice, num_positions);
  if (result == SeatResult::kNoRoom && slots_.num_seated() == 0) {
    result = slots_.seat(choice, choice.num_known());  // alone, it may as well fill the pool
  }
  if (result == SeatResult::kSeated) {
    listener_.on_seated(choice);
    metrics_.cached_tokens += choice.num_computed();
    metrics_.prefix_queries += choice.num_known();
  }
  return result;
}

// A choice whose prompt a sibling has computed already starts behind the prompt.
SeatResult Seating::seat_beside(Choice& choice, std::size_t num_positions) {
  Generation& generation = choice.generation();
  if (generation.prompt_logits().empty() || !choice.generated().empty()) {
    return SeatResult::kNoRoom;
  }
  for (const auto& sibling : generation.choices()) {
    if (!sibling->has_prompt()) {
      continue;
    }
    const SeatResult result = slots_.seat_copy(choice, *sibling, num_positions);
    if (result == SeatResult::kSeated) {
      listener_.on_seated_beside(choice);
    }
    return result;
  }
  return SeatResult::kNoRoom;
}

void Seating::collect_runnable(Generations generations, std::vector<Choice*>& out) {
  out.clear();
  for (const auto& generation : generations) {
    if (is_paused(*generation)) {
      continue;
    }
    for (const auto& choice : generation->choices()) {
      if (choice->is_seated() && try_ensure_room(generations, *choice)) {
        out.push_back(choice.get());
      }
    }
  }
  // Making room for a later choice may have unseated an earlier one.
  std::erase_if(out, [](const Choice* choice) { return !choice->is_seated(); });
}

// False: an error ended the request, or as ensure_room().
bool Seating::try_ensure_room(Generations generations, Choice& choice) {
  try {
    return ensure_room(generations, choice);
  } catch (const std::exception& error) {
    if (is_device_lost(error)) {
      throw;
    }
    listener_.on_failed(choice.generation(), error);
    return false;
  }
}

// Puts back whoever was seated last until the choice has room for its newest token. False: it was
// itself put back, or its request failed.
bool Seating::ensure_room(Generations generations, Choice& choice) {
  while (choice.num_known() > choice.seat().num_reserved) {
    if (try_grow(choice)) return true;
    if (slots_.num_seated() == 1) {
      listener_.on_failed(choice.generation(), no_room());
      return false;
    }
    Choice* last = nullptr;
    for (const auto& generation : generations) {
      for (const auto& other : generation->choices()) {
        last = other->is_seated() ? other.get() : last;
      }
    }
    slots_.evict(*last);
    has_made_room_ = true;
    ++metrics_.preemptions;
    if (last == &choice) {
      return false;
    }
  }
  return true;
}

bool Seating::try_grow(Choice& choice) {
  return choice.num_known() <= choice.seat().num_reserved ||
         slots_.grow(choice, positions_wanted(choice)) || slots_.grow(choice, choice.num_known());
}

void Seating::finish(Choice& choice) noexcept {
  slots_.park(choice);
  choice.finish();
}

void Seating::finish(Generation& generation) noexcept {
  for (const auto& choice : generation.choices()) {
    if (choice->is_seated()) {
      slots_.park(*choice);
    }
    choice->finish();
  }
}

void Seating::drop(Generation& generation) noexcept {
  has_made_room_ = true;
  for (const auto& choice : generation.choices()) {
    if (choice->is_seated()) {
      slots_.evict(*choice);
    }
    choice->finish();
  }
}

bool Seating::take_has_made_room() noexcept { return std::exchange(has_made_room_, false); }

}  // namespace vernal

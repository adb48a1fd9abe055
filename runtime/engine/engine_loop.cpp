#include "engine/engine_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {
namespace {

// Room that an answer gets beyond what it has; so a pool is not taken up by budgets that are hardly
// ever used.
constexpr std::size_t kGrowthPositions = 128;

Error no_room() {
  return {VERNAL_RESOURCE_EXHAUSTED,
          "The server has no memory left for a conversation of this length."};
}

}  // namespace

EngineLoop::EngineLoop(const LoadedModel& model, EngineMetrics& metrics, StepWatch& watch)
    : model_(model),
      steps_(*model.steps),
      metrics_(metrics),
      watch_(watch),
      scheduler_(model.max_tokens_per_step, model.slots),
      slots_(steps_, model.slots, model.max_checkpoints) {
  update_gauges();
}

void EngineLoop::add(PreparedRequest prepared) {
  auto generation =
      std::make_unique<Generation>(std::move(prepared), num_added_++, *model_.tokenizer);
  const auto place = std::upper_bound(
      generations_.begin(), generations_.end(), generation,
      [](const auto& added, const auto& other) { return added->precedes(*other); });
  generations_.insert(place, std::move(generation));
}

bool EngineLoop::advance() {
  sweep();
  has_made_room_ = false;
  seat_waiting();
  collect_runnable();
  scheduler_.plan(runnable_, planned_);
  if (!planned_.empty()) {
    run_step();
  }
  if (has_lost_device_) {
    throw Error(VERNAL_DEVICE_LOST, "the device is lost; the model has to be loaded again");
  }
  update_gauges();
  return !planned_.empty() || has_made_room_;
}

std::optional<SteadyClock::time_point> EngineLoop::next_deadline() const {
  std::optional<SteadyClock::time_point> next;
  const auto consider = [&](std::optional<SteadyClock::time_point> time) {
    if (time && *time > swept_at_ && (!next || *time < *next)) {
      next = time;
    }
  };
  for (const auto& generation : generations_) {
    consider(generation->deadline());
    if (const auto full_since = generation->request().events().full_since()) {
      consider(*full_since + model_.limits.pause_grace);
      consider(*full_since + model_.limits.stall_timeout);
    }
  }
  return next;
}

void EngineLoop::fail_all(const std::exception& error) {
  for (const auto& generation : generations_) {
    generation->request().fail(error);
  }
}

void EngineLoop::sweep() {
  swept_at_ = SteadyClock::now();
  std::erase_if(generations_, [&](const auto& generation) {
    end_if_due(*generation, swept_at_);
    if (!generation->request().has_ended()) {  // asked once: it may end at any time
      return false;
    }
    free_slots(*generation);
    return true;
  });
}

void EngineLoop::end_if_due(Generation& generation, SteadyClock::time_point now) {
  Request& request = generation.request();
  if (request.is_cancelled()) {
    request.fail_cancelled();
  }
  if (const auto deadline = generation.deadline(); deadline && *deadline <= now) {
    request.fail(Error(VERNAL_DEADLINE, "The request did not end within its deadline."));
  }
  const auto full_since = request.events().full_since();
  if (full_since && *full_since + model_.limits.stall_timeout <= now) {
    request.fail(Error(VERNAL_CLIENT_STALLED, "The client did not read its answer for too long."));
  }
}

void EngineLoop::free_slots(Generation& generation) {
  for (const auto& choice : generation.choices()) {
    if (choice->state == Choice::State::kSeated) {
      slots_.park(*choice);
    }
    choice->state = Choice::State::kFinished;
  }
}

void EngineLoop::seat_waiting() {
  for (const auto& generation : generations_) {
    if (generation->request().events().full_since()) {
      continue;  // paused: it would not use the slot
    }
    for (const auto& choice : generation->choices()) {
      if (choice->state != Choice::State::kWaiting || waits_for_sibling(*choice)) {
        continue;
      }
      Seating seating = try_seat(*choice);
      while (seating != Seating::kSeated && unseat_paused()) {
        seating = try_seat(*choice);
      }
      if (seating == Seating::kNoRoom && slots_.num_seated() == 0) {
        fail(*generation, no_room());  // nobody is left whose end could make room
        continue;
      }
      if (seating != Seating::kSeated) {
        return;  // those behind do not overtake
      }
    }
  }
}

// A client that does not read keeps its slot only as long as nobody else waits for one.
bool EngineLoop::unseat_paused() {
  const SteadyClock::time_point now = SteadyClock::now();
  for (const auto& generation : generations_) {
    const auto full_since = generation->request().events().full_since();
    if (!full_since || *full_since + model_.limits.pause_grace > now) {
      continue;
    }
    for (const auto& choice : generation->choices()) {
      if (choice->state == Choice::State::kSeated) {
        slots_.park(*choice);
        choice->state = Choice::State::kWaiting;
        ++metrics_.preemptions;
        return true;
      }
    }
  }
  return false;
}

// The prompt is processed once: a choice that has not begun waits while a sibling is at it.
bool EngineLoop::waits_for_sibling(const Choice& choice) const {
  if (!choice.generated().empty()) {
    return false;
  }
  const auto siblings = choice.generation().choices();
  return std::any_of(siblings.begin(), siblings.end(), [](const auto& sibling) {
    return sibling->state == Choice::State::kSeated &&
           sibling->num_computed < sibling->num_prompt();
  });
}

// A backend's error ends the request that met it. The slot is free again then.
Seating EngineLoop::try_seat(Choice& choice) {
  try {
    return seat(choice);
  } catch (const Error& error) {
    if (error.code() == VERNAL_DEVICE_LOST) {
      throw;
    }
    fail(choice.generation(), error);
    return Seating::kSeated;
  }
}

Seating EngineLoop::seat(Choice& choice) {
  const std::size_t num_positions = positions_wanted(choice);
  Seating seating = seat_beside(choice, num_positions);
  if (seating != Seating::kNoRoom) {
    return seating;
  }
  seating = slots_.seat(choice, num_positions);
  if (seating == Seating::kNoRoom && slots_.num_seated() == 0) {
    seating = slots_.seat(choice, choice.num_known());  // alone, it may as well fill the pool
  }
  if (seating == Seating::kSeated) {
    if (!choice.generation().started_at) {
      choice.generation().num_cached = choice.num_computed;
      announce_start(choice.generation());
    }
    metrics_.cached_tokens += choice.num_computed;
  }
  return seating;
}

// A choice whose prompt another choice has processed already starts behind the prompt.
Seating EngineLoop::seat_beside(Choice& choice, std::size_t num_positions) {
  Generation& generation = choice.generation();
  if (generation.prompt_logits.empty() || !choice.generated().empty()) {
    return Seating::kNoRoom;
  }
  for (const auto& sibling : generation.choices()) {
    const bool has_prompt =
        sibling->state == Choice::State::kSeated && sibling->num_computed >= sibling->num_prompt();
    if (!has_prompt) {
      continue;
    }
    const Seating seating = slots_.seat_copy(choice, *sibling, num_positions);
    if (seating == Seating::kSeated) {
      draw(choice, generation.prompt_logits);
    }
    return seating;
  }
  return Seating::kNoRoom;
}

std::size_t EngineLoop::positions_wanted(const Choice& choice) const {
  // The last token of an answer is never computed.
  const std::size_t most = choice.num_prompt() + choice.generation().max_new_tokens() - 1;
  return std::min(choice.num_known() + kGrowthPositions, std::max(most, choice.num_known()));
}

void EngineLoop::announce_start(Generation& generation) {
  generation.started_at = SteadyClock::now();
  const auto queued = *generation.started_at - generation.request().submitted_at();
  Event event;
  event.type = VERNAL_EVENT_STARTED;
  event.cached_tokens = generation.num_cached;
  event.queued_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(queued).count());
  event.text = generation.num_cached > 0 ? "an earlier request began with the same tokens"
                                         : "no earlier request began with the same tokens";
  generation.request().events().push(std::move(event));
}

void EngineLoop::collect_runnable() {
  runnable_.clear();
  for (const auto& generation : generations_) {
    if (generation->request().events().full_since()) {
      continue;  // paused: its client does not read
    }
    for (const auto& choice : generation->choices()) {
      if (choice->state == Choice::State::kSeated && ensure_room(*choice)) {
        runnable_.push_back(choice.get());
      }
    }
  }
  // Making room for a later choice may have unseated an earlier one.
  std::erase_if(runnable_,
                [](const Choice* choice) { return choice->state != Choice::State::kSeated; });
}

// Puts back whoever was seated last until the choice has room for its newest token. False: it was
// itself put back, or its request failed.
bool EngineLoop::ensure_room(Choice& choice) {
  while (choice.num_known() > choice.num_reserved) {
    if (slots_.grow(choice, positions_wanted(choice)) || slots_.grow(choice, choice.num_known())) {
      return true;
    }
    if (slots_.num_seated() == 1) {
      fail(choice.generation(), no_room());
      return false;
    }
    Choice* last = nullptr;
    for (const auto& generation : generations_) {
      for (const auto& other : generation->choices()) {
        last = other->state == Choice::State::kSeated ? other.get() : last;
      }
    }
    slots_.evict(*last);
    last->state = Choice::State::kWaiting;
    has_made_room_ = true;
    ++metrics_.preemptions;
    if (last == &choice) {
      return false;
    }
  }
  return true;
}

void EngineLoop::update_gauges() {
  std::uint64_t num_running = 0;
  for (const auto& generation : generations_) {
    const auto choices = generation->choices();
    const bool is_running = std::any_of(choices.begin(), choices.end(), [](const auto& choice) {
      return choice->state == Choice::State::kSeated;
    });
    num_running += is_running ? 1U : 0U;
  }
  const StepModelInfo info = steps_.info();
  metrics_.running_requests = num_running;
  metrics_.checkpoints = slots_.num_checkpoints();
  metrics_.kv_capacity_tokens = info.capacity_tokens;
  metrics_.kv_used_tokens = info.capacity_tokens - std::min(info.capacity_tokens, info.free_tokens);
}

}  // namespace vernal

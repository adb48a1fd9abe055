#include "engine/engine_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

EngineLoop::EngineLoop(const LoadedModel& model, EngineObservers observers)
    : model_(model),
      steps_(*model.steps),
      metrics_(observers.metrics),
      watch_(observers.watch),
      board_(observers.board),
      scheduler_(model.max_tokens_per_step, model.slots, model.rows_per_step),
      pace_(steps_.info().is_chunk_invariant ? model.max_step_time : std::chrono::milliseconds(0)),
      seating_(model, metrics_, *this),
      slot_states_(model.slots) {
  if (model.speculation.draft == Draft::kMtp) {
    prediction_ = std::make_unique<PredictionLayer>(model);
  }
  runnable_.reserve(model.slots);
  planned_.reserve(model.slots);
  chunks_.reserve(model.slots);
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
  seating_.seat_waiting(generations_);
  seating_.collect_runnable(generations_, runnable_);
  plan_step();
  if (!planned_.empty()) {
    add_guesses();
    update_gauges();  // who waits and who runs is asked for while the step goes on
    run_step();
  }
  if (has_lost_device_) {
    throw Error(VERNAL_DEVICE_LOST, "the device is lost; the model has to be loaded again");
  }
  update_gauges();
  const bool has_made_room = seating_.take_has_made_room();
  return has_made_room || !planned_.empty();
}

std::string EngineLoop::settings_without_effect() const {
  // With one slot there is no answer of others to wait for.
  if (pace_.is_on() || model_.max_step_time.count() == 0 || model_.slots < 2) return {};
  return fmt::format(
      "max_step_time of {} ms does not bound its steps: results of its backend depend on where "
      "chunks of a prompt end (no VERNAL_POOL_CHUNK_INVARIANT), so others' answers wait for whole "
      "chunks. A smaller max_tokens_per_step makes them shorter; max_step_time = \"0s\" if that is "
      "as it should be",
      model_.max_step_time.count());
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

void EngineLoop::sweep() noexcept {
  swept_at_ = SteadyClock::now();
  std::erase_if(generations_, [&](const auto& generation) {
    end_if_due(*generation, swept_at_);
    if (!generation->request().has_ended()) {  // asked once: it may end at any time
      return false;
    }
    seating_.finish(*generation);
    return true;
  });
}

void EngineLoop::end_if_due(Generation& generation, SteadyClock::time_point now) noexcept {
  Request& request = generation.request();
  if (request.is_cancelled()) {
    request.fail_cancelled();
  }
  if (const auto deadline = generation.deadline(); deadline && *deadline <= now) {
    request.fail(VERNAL_DEADLINE, "The request did not end within its deadline.");
  }
  const auto full_since = request.events().full_since();
  if (full_since && *full_since + model_.limits.stall_timeout <= now) {
    request.fail(VERNAL_CLIENT_STALLED, "The client did not read its answer for too long.");
  }
}

void EngineLoop::on_seated(Choice& choice) {
  Generation& generation = choice.generation();
  if (generation.has_started()) {
    return;
  }
  generation.start(choice.num_computed());
  generation.request().events().push(generation.started_event());
  report_prompt(generation);
}

void EngineLoop::on_seated_beside(Choice& choice) {
  draw(choice, choice.generation().prompt_logits());
}

void EngineLoop::on_failed(Generation& generation, const std::exception& error) {
  fail(generation, error);
}

void EngineLoop::update_board() noexcept {
  std::fill(slot_states_.begin(), slot_states_.end(), SlotState{});
  for (const auto& generation : generations_) {
    for (const auto& choice : generation->choices()) {
      if (!choice->is_seated() || choice->seat().slot >= slot_states_.size()) continue;
      slot_states_[choice->seat().slot] = {generation->request().id(), choice->num_prompt(),
                                           choice->num_computed(), choice->generated().size(),
                                           generation->max_new_tokens()};
    }
  }
  board_.publish(slot_states_);
}

void EngineLoop::update_gauges() noexcept {
  update_board();
  std::uint64_t num_running = 0;
  for (const auto& generation : generations_) {
    const auto choices = generation->choices();
    const bool is_running = std::any_of(choices.begin(), choices.end(),
                                        [](const auto& choice) { return choice->is_seated(); });
    num_running += is_running ? 1U : 0U;
  }
  metrics_.running_requests = num_running;
  metrics_.seated_choices = seating_.num_seated();
  metrics_.checkpoints = seating_.num_checkpoints();
  try {
    const StepModelInfo info = steps_.info();
    metrics_.kv_capacity_tokens = info.capacity_tokens;
    metrics_.streamed_products = info.streamed_products;
    metrics_.kv_used_tokens =
        info.capacity_tokens - std::min(info.capacity_tokens, info.free_tokens);
  } catch (const std::exception&) {
    return;  // no memory to count them, or a lost device, which the next step reports
  }
}

}  // namespace vernal

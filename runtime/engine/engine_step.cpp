// One step of the engine loop: from the chosen chunks to tokens and events.
#include <algorithm>
#include <optional>
#include <utility>

#include "engine/engine_loop.hpp"
#include "vernal/error.hpp"

namespace vernal {

void EngineLoop::plan_step() {
  const auto num_answers = static_cast<std::size_t>(
      std::count_if(runnable_.begin(), runnable_.end(),
                    [](const Choice* choice) { return choice->has_prompt(); }));
  std::optional<std::size_t> most_prefill;
  if (pace_.is_on() && num_answers > 0) {
    most_prefill = pace_.most_tokens(costs_.estimate(num_answers));
  }
  scheduler_.plan(runnable_, planned_, most_prefill);
  if (scheduler_.has_shortened()) ++metrics_.shortened_steps;
}

void EngineLoop::run_step() {
  const SteadyClock::time_point begin = model_.step_clock();
  chunks_.clear();
  for (const PlannedChunk& chunk : planned_) {
    Choice& choice = *chunk.choice;
    chunks_.push_back(chunk_of(chunk));
    choice.generation().request().set_in_step(true);
  }
  std::size_t num_tokens = 0;
  std::size_t num_prompt_tokens = 0;
  for (const PlannedChunk& chunk : planned_) {
    num_tokens += chunk.num_tokens();
    if (!chunk.choice->has_prompt()) num_prompt_tokens += chunk.count;
  }
  metrics_.step_tokens.observe(static_cast<double>(num_tokens));
  metrics_.step_sequences.observe(static_cast<double>(planned_.size()));
  has_only_decodes_ = only_decodes();
  watch_.begin();
  execute();
  watch_.end();
  for (const auto& generation : generations_) {
    generation->request().set_in_step(false);
  }
  ++metrics_.steps;
  const auto busy = model_.step_clock() - begin;
  // Guesses for the next step are counted with that one, where their number is chosen.
  const double guessing = prediction_ == nullptr ? 0.0 : prediction_->seconds_guessing();
  learn_costs(num_tokens, num_prompt_tokens,
              std::max(0.0, std::chrono::duration<double>(busy).count() - guessing));
  metrics_.busy_us += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(busy).count());
}

// A step without decodes has a fixed cost too, such as reading the weights: about that of one decode.
void EngineLoop::learn_costs(std::size_t num_tokens, std::size_t num_prompt_tokens,
                             double seconds) noexcept {
  if (has_only_decodes_) {
    costs_.observe(num_tokens, seconds);
    return;
  }
  const std::size_t num_others = std::max<std::size_t>(num_tokens - num_prompt_tokens, 1);
  pace_.observe(num_prompt_tokens, seconds, costs_.estimate(num_others));
}

StepChunk EngineLoop::chunk_of(const PlannedChunk& planned) const {
  const Choice& choice = *planned.choice;
  StepChunk chunk;
  chunk.sequence = choice.seat().sequence;
  chunk.first_position = choice.num_computed();
  chunk.tokens = planned.drafted.empty() ? choice.tokens(choice.num_computed(), planned.count)
                                         : planned.drafted;
  chunk.wants_hidden = prediction_ != nullptr;
  if (choice.generation().document().is_embedding) {
    chunk.wants_hidden |= planned.wants_logits || model_.pooling == Pooling::kMean;
  } else {
    chunk.num_rows = static_cast<std::uint32_t>(planned.num_rows());
  }
  return chunk;
}

void EngineLoop::execute() {
  try {
    steps_.begin_step(chunks_);
    has_open_step_ = true;
    while (!steps_.wait_step(kStepWaitSlice)) {
      // A step cannot be abandoned: its backend may still write to its memory. If it takes too long,
      // the watchdog ends the requests.
    }
    advance_choices();
    follow_prompts();
    take_results();
    end_step();
    follow_step();
  } catch (const std::exception& error) {
    fail_step(error);
  }
  end_step();
}

void EngineLoop::end_step() noexcept {
  if (has_open_step_) steps_.end_step();
  has_open_step_ = false;
}

// Before the choice advances. A chunk that reaches the end of the prompt "wants logits".
void EngineLoop::take_hidden(const PlannedChunk& chunk, std::size_t first_token) {
  Generation& generation = chunk.choice->generation();
  const bool is_mean = model_.pooling == Pooling::kMean;
  if (!generation.document().is_embedding || (!is_mean && !chunk.wants_logits)) return;
  const std::size_t begin = is_mean ? 0 : chunk.count - 1;
  for (std::size_t i = begin; i < chunk.count; ++i) {
    generation.pooling().add(model_.pooling, chunk.choice->num_computed() + i,
                             steps_.hidden(first_token + i));
  }
}

void EngineLoop::finish_embedding(Choice& choice) {
  Generation& generation = choice.generation();
  Event event;
  event.type = VERNAL_EVENT_EMBEDDING;
  event.embedding = generation.pooling().vector();
  generation.request().events().push(std::move(event));
  seating_.finish(choice);
  generation.request().finish(generation.finished_event(), RequestOutcome::kStop);
}

void EngineLoop::advance_choices() {
  std::size_t first_token = 0;
  for (const PlannedChunk& chunk : planned_) {
    take_hidden(chunk, first_token);
    first_token += chunk.num_tokens();
  }
  for (const PlannedChunk& chunk : planned_) {
    Choice& choice = *chunk.choice;
    if (!choice.has_prompt()) {
      metrics_.prompt_tokens += chunk.count;
    }
    choice.advance(chunk.count);
    choice.add_guesses(chunk.num_guesses());
  }
}

std::span<const float> EngineLoop::row(std::size_t index) const {
  return rows_.empty() ? steps_.logits(index) : rows_[index];
}

void EngineLoop::take_results() {
  for (const PlannedChunk& chunk : planned_) seating_.keep_state(*chunk.choice);
  std::size_t row = 0;
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    take_chunk(planned_[i], row);
    row += chunks_[i].num_rows;
  }
}

void EngineLoop::take_chunk(const PlannedChunk& chunk, std::size_t first_row) {
  Choice& choice = *chunk.choice;
  Generation& generation = choice.generation();
  const auto goes_on = [&] {  // a sibling may have failed
    return choice.is_seated() && !generation.request().has_ended();
  };
  if (goes_on() && chunk.scores_prompt) {
    try {
      report_scores(generation, first_row, chunk.count);
    } catch (const std::exception& error) {
      fail(generation, error);
    }
  }
  if (!goes_on()) return;
  if (chunk.wants_logits && generation.document().is_embedding) {
    finish_embedding(choice);
  } else if (chunk.num_guesses() > 0) {
    take_guesses(chunk, first_row);
  } else if (chunk.wants_logits) {
    take_logits(choice, row(first_row + chunk.num_rows() - 1));
  } else {
    report_progress(choice);
  }
}

void EngineLoop::take_logits(Choice& choice, std::span<const float> logits) {
  Generation& generation = choice.generation();
  // A model may give more columns of logits than the vocabulary has tokens.
  logits = logits.first(std::min(logits.size(), model_.tokenizer->size()));
  try {
    const bool is_wanted_again = choice.generated().empty() && generation.has_waiting_choice();
    if (is_wanted_again && generation.prompt_logits().empty()) {
      generation.keep_prompt_logits(logits);
    }
    draw(choice, logits);
  } catch (const std::exception& error) {
    fail(generation, error);
  }
}

void EngineLoop::emit(Choice& choice, OutputPiece piece) {
  if (piece.empty()) {
    return;
  }
  EventQueue& events = choice.generation().request().events();
  if (choice.answer().is_plain()) {
    Event event = content_event(choice.index(), std::move(piece));
    choice.generation().tell_timings(event);
    events.push(std::move(event));
    return;
  }
  for (Event& event : choice.answer().push(std::move(piece))) {
    choice.generation().tell_timings(event);
    events.push(std::move(event));
  }
}

void EngineLoop::finish(Choice& choice, std::uint32_t reason) {
  Generation& generation = choice.generation();
  hand_out_held(choice);
  if (choice.output().found_stop()) reason = VERNAL_FINISH_STOP_STRING;
  emit(choice, choice.output().flush());
  const bool is_cut = reason == VERNAL_FINISH_LENGTH;
  for (Event& rest : choice.answer().finish(is_cut ? AnswerEnd::kLength : AnswerEnd::kStop)) {
    generation.request().events().push(std::move(rest));
  }
  if (!is_cut && choice.answer().num_calls() > 0) reason = VERNAL_FINISH_TOOL_CALLS;
  Event event;
  event.type = VERNAL_EVENT_CHOICE_FINISHED;
  event.choice = choice.index();
  event.finish_reason = reason;
  event.text = choice.output().found_stop().value_or("");
  generation.request().events().push(std::move(event));
  seating_.finish(choice);
  if (!generation.has_waiting_choice()) {
    generation.drop_prompt_logits();
  }
  if (generation.is_finished()) {
    const RequestOutcome outcome =
        reason == VERNAL_FINISH_LENGTH ? RequestOutcome::kLength : RequestOutcome::kStop;
    generation.request().finish(generation.finished_event(), outcome);
  }
}

void EngineLoop::fail(Generation& generation, const std::exception& error) noexcept {
  generation.request().fail(error);
  seating_.drop(generation);
}

// The sequences of a failed step cannot be used any more. Requests that are not in it go on.
void EngineLoop::fail_step(const std::exception& error) noexcept {
  const auto* known = dynamic_cast<const Error*>(&error);
  for (const PlannedChunk& chunk : planned_) {
    fail(chunk.choice->generation(), error);
  }
  if (known != nullptr && known->code() == VERNAL_DEVICE_LOST) {
    has_lost_device_ = true;
  }
}

}  // namespace vernal

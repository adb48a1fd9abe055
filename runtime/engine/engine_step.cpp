// One step of the engine loop: from the chosen chunks to tokens and events.
#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "engine/engine_loop.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// A wait needs a time limit. The loop waits again until the step ends.
constexpr std::chrono::milliseconds kWaitSlice{1000};
// What client and model read where thinking in a loop was ended.
constexpr std::string_view kLoopNote = "\n\n(This thinking repeated itself and was ended here.)";

}  // namespace

void EngineLoop::run_step() {
  const SteadyClock::time_point begin = SteadyClock::now();
  chunks_.clear();
  for (const PlannedChunk& chunk : planned_) {
    Choice& choice = *chunk.choice;
    chunks_.push_back({choice.seat().sequence, choice.num_computed(),
                       choice.tokens(choice.num_computed(), chunk.count),
                       chunk.wants_logits ? 1U : 0U});
    choice.generation().request().set_in_step(true);
  }
  watch_.begin();
  execute();
  watch_.end();
  for (const auto& generation : generations_) {
    generation->request().set_in_step(false);
  }
  ++metrics_.steps;
  const auto busy = SteadyClock::now() - begin;
  metrics_.busy_us += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(busy).count());
}

void EngineLoop::execute() {
  bool has_begun = false;
  try {
    steps_.begin_step(chunks_);
    has_begun = true;
    while (!steps_.wait_step(kWaitSlice)) {
      // A step cannot be abandoned: its backend may still write to its memory. If it takes too long,
      // the watchdog ends the requests.
    }
    take_results();
  } catch (const std::exception& error) {
    fail_step(error);
  }
  if (has_begun) {
    steps_.end_step();
  }
}

void EngineLoop::take_results() {
  for (const PlannedChunk& chunk : planned_) {
    Choice& choice = *chunk.choice;
    if (!choice.has_prompt()) {
      metrics_.prompt_tokens += chunk.count;
    }
    choice.advance(chunk.count);
    seating_.keep_state(choice);
  }
  std::size_t row = 0;
  for (const PlannedChunk& chunk : planned_) {
    Choice& choice = *chunk.choice;
    const bool goes_on = choice.is_seated() &&  // a sibling may have failed
                         !choice.generation().request().has_ended();
    if (!chunk.wants_logits) {
      if (goes_on) {
        report_progress(choice);
      }
      continue;
    }
    const std::span<const float> logits = steps_.logits(row++);
    if (goes_on) {
      take_logits(choice, logits);
    }
  }
}

void EngineLoop::report_progress(const Choice& choice) {
  if (choice.index() != 0 || !choice.generated().empty()) {
    return;
  }
  Event event;
  event.type = VERNAL_EVENT_PROGRESS;
  event.done = choice.num_computed();
  event.total = choice.num_prompt();
  try {
    choice.generation().request().events().push(std::move(event));
  } catch (const std::bad_alloc&) {
    return;  // the next event tells how far it is
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

void EngineLoop::draw(Choice& choice, std::span<const float> logits) {
  Generation& generation = choice.generation();
  const auto token = choice.sampler().draw(logits, choice.num_known(), scratch_);
  if (!token) {
    fail(generation, Error(VERNAL_INTERNAL, "The model's scores are not finite numbers."));
    return;
  }
  generation.count_token();
  ++metrics_.generated_tokens;
  choice.append(token->chosen.id);
  if (model_.tokenizer->is_end_of_generation(token->chosen.id)) {
    finish(choice, VERNAL_FINISH_STOP);
    return;
  }
  const ThinkingGuard::Verdict verdict = hand_out(choice, *token);
  if (verdict != ThinkingGuard::Verdict::kGoOn) end_thinking(choice, verdict);
  if (choice.output().found_stop()) {
    finish(choice, VERNAL_FINISH_STOP_STRING);
  } else if (choice.answer().is_complete()) {
    finish(choice, VERNAL_FINISH_STOP);
  } else if (choice.generated().size() >= generation.max_new_tokens()) {
    finish(choice, VERNAL_FINISH_LENGTH);
  }
}

ThinkingGuard::Verdict EngineLoop::hand_out(Choice& choice, const SampledToken& token) {
  const bool was_thinking = choice.answer().is_thinking();
  OutputPiece piece = choice.output().push(token);
  ThinkingGuard::Verdict verdict = ThinkingGuard::Verdict::kGoOn;
  if (was_thinking) verdict = choice.thinking_guard().push(token.chosen.id, piece.text);
  emit(choice, std::move(piece));
  const bool is_thinking = choice.answer().is_thinking();
  if (was_thinking || is_thinking) choice.generation().count_reasoning_token();
  return is_thinking ? verdict : ThinkingGuard::Verdict::kGoOn;
}

// The tokens that follow are not drawn: the next step computes them together, as a chunk.
void EngineLoop::end_thinking(Choice& choice, ThinkingGuard::Verdict verdict) {
  Generation& generation = choice.generation();
  const AnswerSyntax* const syntax = generation.answer_format().syntax;
  const bool is_loop = verdict == ThinkingGuard::Verdict::kLoop;
  const std::string text = std::string(is_loop ? kLoopNote : "") + text_behind_thinking(*syntax);
  const std::vector<TokenId> tokens = model_.tokenizer->encode(text, {.parse_special = true});
  const std::size_t num_left = generation.max_new_tokens() - choice.generated().size();
  if (tokens.size() >= num_left) return;  // the limit ends the answer anyway
  for (const TokenId token : tokens) {
    generation.count_token();
    ++metrics_.generated_tokens;
    choice.append(token);
    choice.sampler().count(token);
    hand_out(choice, {{token, 0.0}, {}});
  }
}

void EngineLoop::emit(Choice& choice, OutputPiece piece) {
  if (piece.empty()) {
    return;
  }
  EventQueue& events = choice.generation().request().events();
  if (choice.answer().is_plain()) {
    events.push(content_event(choice.index(), std::move(piece)));
    return;
  }
  for (Event& event : choice.answer().push(std::move(piece))) events.push(std::move(event));
}

void EngineLoop::finish(Choice& choice, std::uint32_t reason) {
  Generation& generation = choice.generation();
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

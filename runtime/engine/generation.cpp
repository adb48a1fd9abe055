#include "engine/generation.hpp"

#include <algorithm>
#include <utility>

namespace vernal {
namespace {

std::uint64_t microseconds(SteadyClock::time_point from, SteadyClock::time_point to) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(to - from).count());
}

}  // namespace

Choice::Choice(Generation& generation, std::uint32_t index, const Tokenizer& tokenizer)
    : generation_(generation),
      index_(index),
      sampler_(generation.document().sampling, generation.seed(), index,
               generation.document().logprobs, &tokenizer),
      output_(tokenizer, generation.document().stop, generation.document().logprobs.has_value(),
              generation.answer_format().syntax),
      answer_(generation.answer_format(), generation.document(), index),
      grammar_(generation.rules(), generation.answer_format(), generation.document(), tokenizer),
      thinking_guard_(generation.document().thinking_budget),
      bans_(tokenizer, generation.document().rules) {
  sampler_.see_prompt(generation.prompt());
}

std::size_t Choice::num_prompt() const noexcept { return generation_.prompt().size(); }

std::size_t Choice::num_known() const noexcept { return num_prompt() + generated_.size(); }

std::span<const TokenId> Choice::tokens(std::size_t begin, std::size_t count) const noexcept {
  if (begin < num_prompt()) {
    return std::span(generation_.prompt()).subspan(begin, count);
  }
  return std::span(generated_).subspan(begin - num_prompt(), count);
}

std::vector<TokenId> Choice::computed_tokens() const {
  std::vector<TokenId> result = generation_.prompt();
  result.insert(result.end(), generated_.begin(), generated_.end());
  result.resize(num_computed());
  return result;
}

bool Choice::is_decoding() const noexcept {
  return !generated_.empty() && num_computed() + 1 == num_known();
}

bool Choice::scores_next() const noexcept {
  return index_ == 0 && generation_.scores_prompt() && num_computed() >= generation_.num_scored();
}

std::size_t Choice::num_skippable() const noexcept {
  // At least one token has to be computed, because only a step gives logits.
  const std::size_t most = num_known() - 1;
  const bool scores = index_ == 0 && generation_.scores_prompt();
  return scores ? std::min(most, generation_.num_scored()) : most;
}

void Choice::take_seat(const Seat& seat) noexcept {
  state_ = State::kSeated;
  seat_ = seat;
}

void Choice::leave_seat() noexcept {
  state_ = State::kWaiting;
  seat_ = {};
}

Generation::Generation(PreparedRequest prepared, std::uint64_t order, const Tokenizer& tokenizer)
    : prepared_(std::move(prepared)), order_(order), echo_(tokenizer, /*skip_special=*/false) {
  for (std::uint32_t index = 0; index < prepared_.document.n; ++index) {
    choices_.push_back(std::make_unique<Choice>(*this, index, tokenizer));
  }
}

bool Generation::precedes(const Generation& other) const noexcept {
  if (document().priority != other.document().priority) {
    return document().priority > other.document().priority;
  }
  return order_ < other.order_;
}

bool Generation::is_finished() const noexcept {
  return std::all_of(choices_.begin(), choices_.end(),
                     [](const auto& choice) { return choice->is_finished(); });
}

bool Generation::has_waiting_choice() const noexcept {
  return std::any_of(choices_.begin(), choices_.end(),
                     [](const auto& choice) { return choice->is_waiting(); });
}

std::optional<SteadyClock::time_point> Generation::deadline() const {
  if (!document().deadline) {
    return std::nullopt;
  }
  return prepared_.request->submitted_at() + *document().deadline;
}

void Generation::start(std::uint64_t num_cached) {
  started_at_ = SteadyClock::now();
  num_cached_ = num_cached;
}

void Generation::count_token() {
  last_token_at_ = SteadyClock::now();
  if (!first_token_at_) {
    first_token_at_ = last_token_at_;
  }
  ++num_generated_;
}

void Generation::keep_prompt_logits(std::span<const float> logits) {
  prompt_logits_.assign(logits.begin(), logits.end());
}

Event Generation::started_event() const {
  Event event;
  event.type = VERNAL_EVENT_STARTED;
  event.prompt_tokens = prompt().size();
  event.cached_tokens = num_cached_;
  event.queued_us = microseconds(prepared_.request->submitted_at(), *started_at_);
  for (const auto& choice : choices_) {
    if (choice->is_seated() && event.slot == 0) event.slot = choice->seat().slot + 1U;
  }
  event.text = num_cached_ > 0 ? "an earlier request began with the same tokens"
                               : "no earlier request began with the same tokens";
  return event;
}

Event Generation::progress_event() const {
  Event event;
  event.type = VERNAL_EVENT_PROGRESS;
  event.total = prompt().size();
  event.cached_tokens = num_cached_;
  event.prefill_us = microseconds(*started_at_, SteadyClock::now());
  return event;
}

void Generation::tell_timings(Event& event) const {
  const SteadyClock::time_point now = SteadyClock::now();
  const SteadyClock::time_point started = started_at_.value_or(now);
  const SteadyClock::time_point first_token = first_token_at_.value_or(now);
  event.prompt_tokens = prompt().size();
  event.cached_tokens = num_cached_;
  event.completion_tokens = num_generated_;
  event.reasoning_tokens = num_reasoning_;
  event.queued_us = microseconds(prepared_.request->submitted_at(), started);
  event.prefill_us = microseconds(started, first_token);
  event.decode_us = first_token_at_ ? microseconds(first_token, last_token_at_) : 0;
}

Event Generation::finished_event() const {
  Event event;
  event.type = VERNAL_EVENT_FINISHED;
  tell_timings(event);
  return event;
}

}  // namespace vernal

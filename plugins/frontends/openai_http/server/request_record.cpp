#include "openai_http/server/request_record.hpp"

#include <algorithm>
#include <cmath>

#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

std::uint64_t microseconds(TimePoint from, TimePoint to) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  return us > 0 ? static_cast<std::uint64_t>(us) : 0;
}

/// With one digit behind the point: more is noise.
double milliseconds(std::uint64_t us) { return std::round(static_cast<double>(us) / 1e2) / 10; }

void add_text(LogEvent& event, std::string_view name, std::string_view text) {
  if (text.empty()) {
    event.add_json(name, "null");
  } else {
    event.add(name, text);
  }
}

}  // namespace

void RequestRecord::on_event(std::size_t prompt, const vernal_event& event) {
  if (prompt >= prompts_.size()) return;
  Prompt& own = prompts_[prompt];
  switch (event.type) {
    case VERNAL_EVENT_ACCEPTED:
      own.prompt_tokens = event.prompt_tokens;
      break;
    case VERNAL_EVENT_STARTED:
      own.cached_tokens = event.cached_tokens;
      own.queued_us = event.queued_us;
      own.started = Clock::now();
      break;
    case VERNAL_EVENT_DELTA:
      if (!own.first_token) own.first_token = Clock::now();
      own.generated_tokens += event.num_tokens;
      break;
    case VERNAL_EVENT_CHOICE_FINISHED:
      finish_ += finish_.empty() ? "" : ",";
      finish_ += finish_reason_name(event.finish_reason);
      break;
    case VERNAL_EVENT_FINISHED:
      own.prompt_tokens = event.prompt_tokens;
      own.cached_tokens = event.cached_tokens;
      own.generated_tokens = event.completion_tokens;
      own.queued_us = event.queued_us;
      own.prefill_us = event.prefill_us;
      own.decode_us = event.decode_us;
      own.is_finished = true;
      break;
    case VERNAL_EVENT_ERROR:  // an overflow says how long the prompt was
      own.prompt_tokens = std::max(own.prompt_tokens, event.prompt_tokens);
      break;
    default:
      break;
  }
}

void RequestRecord::measure(Prompt& prompt, TimePoint now) {
  if (prompt.is_finished || !prompt.started) return;
  prompt.prefill_us = microseconds(*prompt.started, prompt.first_token.value_or(now));
  if (prompt.first_token) prompt.decode_us = microseconds(*prompt.first_token, now);
}

void RequestRecord::add_generation(LogEvent& event) const {
  const TimePoint now = Clock::now();
  Prompt sum;
  for (Prompt prompt : prompts_) {
    measure(prompt, now);
    sum.prompt_tokens += prompt.prompt_tokens;
    sum.cached_tokens += prompt.cached_tokens;
    sum.generated_tokens += prompt.generated_tokens;
    sum.queued_us += prompt.queued_us;
    sum.prefill_us += prompt.prefill_us;
    sum.decode_us += prompt.decode_us;
  }
  event.add("stream", is_streamed);
  event.add("prompt_tokens", sum.prompt_tokens);
  event.add("cached_tokens", sum.cached_tokens);
  event.add("generated_tokens", sum.generated_tokens);
  event.add("queue_ms", milliseconds(sum.queued_us));
  event.add("prefill_ms", milliseconds(sum.prefill_us));
  event.add("decode_ms", milliseconds(sum.decode_us));
}

std::string RequestRecord::to_event() const {
  LogEvent event("request");
  event.add("id", id);
  add_text(event, "client", client);
  add_text(event, "model", shortened(model));
  add_text(event, "endpoint", method.empty() ? "" : shortened(method + " " + path));
  event.add("status", std::uint64_t{status});
  if (!prompts_.empty()) add_generation(event);
  event.add("total_ms", milliseconds(microseconds(begin_, Clock::now())));
  add_text(event, "finish", finish_);
  add_text(event, "error", error);
  return event.text();
}

}  // namespace vernal::openai_http

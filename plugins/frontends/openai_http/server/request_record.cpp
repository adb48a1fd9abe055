#include "openai_http/server/request_record.hpp"

#include <boost/json.hpp>
#include <cmath>

#include "openai_http/openai/usage.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

std::uint64_t microseconds(TimePoint from, TimePoint to) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  return us > 0 ? static_cast<std::uint64_t>(us) : 0;
}

/// With one digit behind the point: more is noise.
double milliseconds(std::uint64_t us) { return std::round(static_cast<double>(us) / 1e2) / 10; }

json::value or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
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
    default:
      break;
  }
}

void RequestRecord::measure(Prompt& prompt, TimePoint now) {
  if (prompt.is_finished || !prompt.started) return;
  prompt.prefill_us = microseconds(*prompt.started, prompt.first_token.value_or(now));
  if (prompt.first_token) prompt.decode_us = microseconds(*prompt.first_token, now);
}

void RequestRecord::add_generation(json::object& event) const {
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
  event["stream"] = is_streamed;
  event["prompt_tokens"] = sum.prompt_tokens;
  event["cached_tokens"] = sum.cached_tokens;
  event["generated_tokens"] = sum.generated_tokens;
  event["queue_ms"] = milliseconds(sum.queued_us);
  event["prefill_ms"] = milliseconds(sum.prefill_us);
  event["decode_ms"] = milliseconds(sum.decode_us);
}

std::string RequestRecord::to_event() const {
  json::object event{{"event", "request"}, {"id", id}};
  event["client"] = or_null(client);
  event["model"] = or_null(shortened(model));
  event["endpoint"] = or_null(method.empty() ? "" : shortened(method + " " + path));
  event["status"] = status;
  if (!prompts_.empty()) add_generation(event);
  event["total_ms"] = milliseconds(microseconds(begin_, Clock::now()));
  event["finish"] = or_null(finish_);
  event["error"] = or_null(error);
  return to_text(event);
}

}  // namespace vernal::openai_http

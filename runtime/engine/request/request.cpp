#include "engine/request/request.hpp"

#include <utility>

#include "text/request/request_error.hpp"

namespace vernal {
namespace {

struct Failure {
  const char* error_code;
  std::uint32_t http_hint;
  bool is_retryable;
};

Failure describe(std::int32_t code) {
  switch (code) {
    case VERNAL_CANCELLED:
      return {"cancelled", 499, false};
    case VERNAL_INVALID_ARGUMENT:
      return {"invalid_value", 400, false};
    case VERNAL_NOT_FOUND:
      return {"not_found", 404, false};
    case VERNAL_UNSUPPORTED:
      return {"unsupported_parameter", 400, false};
    case VERNAL_RESOURCE_EXHAUSTED:
      return {"server_overloaded", 503, true};
    case VERNAL_QUEUE_FULL:
      return {"server_overloaded", 503, true};
    case VERNAL_CONTEXT_OVERFLOW:
      return {"context_length_exceeded", 400, false};
    case VERNAL_CLIENT_STALLED:
      return {"client_stalled", 408, false};
    case VERNAL_UNAVAILABLE:
      return {"model_unavailable", 503, true};
    case VERNAL_DEADLINE:
      return {"deadline_exceeded", 504, false};
    case VERNAL_DEVICE_LOST:
      return {"model_unavailable", 503, true};
    default:
      return {"internal_error", 500, false};
  }
}

Event event_of(std::int32_t code, const char* text) {
  const Failure failure = describe(code);
  Event event;
  event.type = VERNAL_EVENT_ERROR;
  event.code = code;
  event.text = text;
  event.error_code = failure.error_code;
  event.http_hint = failure.http_hint;
  event.is_retryable = failure.is_retryable;
  return event;
}

}  // namespace

Event error_event(const std::exception& error) {
  if (const auto* refusal = dynamic_cast<const RequestError*>(&error)) {
    Event event = event_of(refusal->code(), refusal->what());
    const ErrorDetails& details = refusal->details();
    event.error_code = details.error_code;
    event.param = details.param;
    event.http_hint = details.http_hint;
    event.is_retryable = details.is_retryable;
    event.context_length = details.context_length;
    event.prompt_tokens = details.prompt_tokens;
    return event;
  }
  if (const auto* known = dynamic_cast<const Error*>(&error)) {
    return event_of(known->code(), known->what());
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return event_of(VERNAL_RESOURCE_EXHAUSTED, "The server has no memory for this request.");
  }
  return event_of(VERNAL_INTERNAL, error.what());
}

Request::Request(Options options)
    : id_(options.id),
      submitted_at_(SteadyClock::now()),
      engine_(std::move(options.engine)),
      metrics_(std::move(options.metrics)),
      events_(options.limits, std::move(options.on_ready),
              [engine = engine_] { engine->notify(); }) {
  ++metrics_->open_requests;
}

void Request::cancel() {
  is_cancelled_ = true;
  engine_->notify();
}

bool Request::finish(Event terminal, RequestOutcome outcome) {
  if (has_ended_.exchange(true)) {
    return false;
  }
  // Counted before the client can see it.
  --metrics_->open_requests;
  ++metrics_->outcomes[static_cast<std::size_t>(outcome)];
  return events_.finish(std::move(terminal));
}

bool Request::fail(const std::exception& error) {
  return finish(error_event(error), RequestOutcome::kError);
}

bool Request::fail_cancelled() {
  return finish(event_of(VERNAL_CANCELLED, "The request was cancelled."),
                RequestOutcome::kCancelled);
}

}  // namespace vernal

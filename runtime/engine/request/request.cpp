#include "engine/request/request.hpp"

#include <utility>

#include "text/request/request_error.hpp"

namespace vernal {
namespace {

Event event_of(const RequestErrorKind& kind, std::int32_t status, const char* text) {
  Event event;
  event.type = VERNAL_EVENT_ERROR;
  event.code = status;
  event.text = text;
  event.error_code = kind.code;
  event.http_hint = kind.http_status;
  event.is_retryable = kind.is_retryable;
  return event;
}

Event event_of(std::int32_t status, const char* text) {
  return event_of(request_error_of(status), status, text);
}

/// A client that asks for what cannot be is no error of the server's.
RequestOutcome outcome_of(const Event& error) {
  constexpr std::uint32_t kFirstServerError = 500;
  return error.http_hint < kFirstServerError ? RequestOutcome::kClientError
                                             : RequestOutcome::kError;
}

}  // namespace

Event error_event(const std::exception& error) {
  if (const auto* refusal = dynamic_cast<const RequestError*>(&error)) {
    Event event = event_of(refusal->kind(), refusal->code(), refusal->what());
    const ErrorDetails& details = refusal->details();
    event.param = details.param;
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
  Event event = error_event(error);
  const RequestOutcome outcome = outcome_of(event);
  return finish(std::move(event), outcome);
}

bool Request::fail_cancelled() {
  return finish(event_of(VERNAL_CANCELLED, "The request was cancelled."),
                RequestOutcome::kCancelled);
}

}  // namespace vernal

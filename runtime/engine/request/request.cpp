#include "engine/request/request.hpp"

#include <new>
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

/// What `make` returns; if it throws, which only a lack of memory makes it, an event whose texts are
/// short enough to need none.
template <class Make>
Event made_or_short(Make&& make) noexcept {
  try {
    return make();
  } catch (...) {
    // No error_code: the one of the table is too long. A frontend goes by the status then.
    constexpr const RequestErrorKind& kKind = request_error_of(VERNAL_RESOURCE_EXHAUSTED);
    Event event;
    event.type = VERNAL_EVENT_ERROR;
    event.code = kKind.status;
    event.text = "Out of memory.";
    event.http_hint = kKind.http_status;
    event.is_retryable = kKind.is_retryable;
    return event;
  }
}

/// A client that asks for what cannot be is no error of the server's.
RequestOutcome outcome_of(const Event& error) noexcept {
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

Request::~Request() {
  // Lost on the way, which only a lack of memory makes happen: nobody waits for it.
  if (!has_ended_) --metrics_->open_requests;
}

void Request::cancel(std::string_view reason) noexcept {
  {
    const std::lock_guard lock(cancel_mutex_);
    try {
      if (!is_cancelled_) cancel_reason_ = reason;
    } catch (const std::bad_alloc&) {
      cancel_reason_.clear();  // it is cancelled all the same
    }
    is_cancelled_ = true;
  }
  engine_->notify();
}

void Request::observe(const Event& finished) noexcept {
  const auto seconds = [](std::uint64_t us) { return static_cast<double>(us) * 1e-6; };
  const double total = std::chrono::duration<double>(SteadyClock::now() - submitted_at_).count();
  metrics_->first_token_times.observe(seconds(finished.queued_us + finished.prefill_us));
  metrics_->request_times.observe(total);
  metrics_->queue_times.observe(seconds(finished.queued_us));
  metrics_->prefill_times.observe(seconds(finished.prefill_us));
  metrics_->decode_times.observe(seconds(finished.decode_us));
  metrics_->prompt_lengths.observe(static_cast<double>(finished.prompt_tokens));
  metrics_->answer_lengths.observe(static_cast<double>(finished.completion_tokens));
}

bool Request::finish(Event terminal, RequestOutcome outcome) noexcept {
  if (has_ended_.exchange(true)) {
    return false;
  }
  if (terminal.type == VERNAL_EVENT_FINISHED) observe(terminal);
  // Counted before the client can see it.
  --metrics_->open_requests;
  ++metrics_->outcomes[static_cast<std::size_t>(outcome)];
  return events_.finish(std::move(terminal));
}

bool Request::fail(const std::exception& error) noexcept {
  Event event = made_or_short([&] { return error_event(error); });
  const RequestOutcome outcome = outcome_of(event);
  return finish(std::move(event), outcome);
}

bool Request::fail(std::int32_t code, const char* text) noexcept {
  Event event = made_or_short([&] { return event_of(code, text); });
  const RequestOutcome outcome = outcome_of(event);
  return finish(std::move(event), outcome);
}

bool Request::fail_cancelled() noexcept {
  return finish(made_or_short([&] {
                  const std::lock_guard lock(cancel_mutex_);
                  const std::string text = "The request was cancelled" +
                                           std::string(cancel_reason_.empty() ? "" : ": ") +
                                           cancel_reason_ + ".";
                  return event_of(VERNAL_CANCELLED, text.c_str());
                }),
                RequestOutcome::kCancelled);
}

}  // namespace vernal

// One request as its client, the intake and the engine share it.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/metrics.hpp"
#include "engine/request/event_queue.hpp"
#include "engine/request/event_view.hpp"
#include "engine/request/wake_signal.hpp"

namespace vernal {

/// Never used twice, so a stale one names no other request. 0 is never valid.
using RequestId = std::uint64_t;

/// The terminal event that says why a request failed. What is not a vernal::Error counts as
/// INTERNAL.
Event error_event(const std::exception& error);

/// A request from submit to release. Whoever ends it first (client, intake, engine, watchdog) calls
/// finish() or fail(); the others notice has_ended(). Any thread.
class Request {
 public:
  struct Options {
    RequestId id = 0;
    EventLimits limits;
    std::function<void()> on_ready;          ///< may be empty
    std::shared_ptr<WakeSignal> engine;      ///< wakes the model's engine thread
    std::shared_ptr<EngineMetrics> metrics;  ///< of the model
  };
  /// Counts as open from here until it has ended.
  explicit Request(Options options);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  RequestId id() const noexcept { return id_; }
  SteadyClock::time_point submitted_at() const noexcept { return submitted_at_; }
  EventQueue& events() noexcept { return events_; }
  bool has_ended() const noexcept { return has_ended_; }

  /// Asks for the end of the request. Whoever holds it ends it within one step. May be repeated: the
  /// first call counts.
  ///   reason   stands in the text of the terminal event, "the server stops"; may be empty
  void cancel(std::string_view reason = {}) noexcept;
  bool is_cancelled() const noexcept { return is_cancelled_; }

  /// Ends the request with `terminal`. False if it had ended before.
  bool finish(Event terminal, RequestOutcome outcome) noexcept;
  /// Ends it with the error's event; where there is no memory for that, with a shorter one.
  bool fail(const std::exception& error) noexcept;
  bool fail(std::int32_t code, const char* text) noexcept;
  /// Ends it as cancelled, for the reason that was given.
  bool fail_cancelled() noexcept;

  /// Whether the step that runs now has tokens of this request.
  void set_in_step(bool is_in_step) noexcept { is_in_step_ = is_in_step; }
  bool is_in_step() const noexcept { return is_in_step_; }

  /// The event that the client polled last. Of the thread that polls.
  EventView& polled() noexcept { return polled_; }

 private:
  // Adds its times and lengths to the metrics.
  void observe(const Event& finished) noexcept;

  const RequestId id_;
  const SteadyClock::time_point submitted_at_;
  const std::shared_ptr<WakeSignal> engine_;
  const std::shared_ptr<EngineMetrics> metrics_;
  std::atomic<bool> has_ended_{false};
  std::atomic<bool> is_cancelled_{false};
  std::atomic<bool> is_in_step_{false};
  std::mutex cancel_mutex_;
  std::string cancel_reason_;  // guarded by cancel_mutex_
  EventQueue events_;
  EventView polled_;
};

}  // namespace vernal

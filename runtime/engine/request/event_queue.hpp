// The queue between the engine and the client of one request.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "engine/request/event.hpp"

namespace vernal {

using SteadyClock = std::chrono::steady_clock;

/// How much may wait for a client before its request is paused.
struct EventLimits {
  std::size_t max_tokens = 512;
  std::size_t max_bytes = std::size_t{256} << 10U;
};

/// Events of one request. The engine never waits: when the client does not read, the queue reports
/// that it is full, and the request is left out of steps. Exactly one terminal event passes, whoever
/// ends the request first.
/// Thread   any for producers; one consumer at a time
class EventQueue {
 public:
  /// on_ready    a producer calls it, without the queue's lock, when an event comes after pop() has
  ///             found none. It may call pop(), but not close()
  /// on_drained  the consumer calls it when a full queue has become half empty
  EventQueue(EventLimits limits, std::function<void()> on_ready, std::function<void()> on_drained);
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  /// Appends an event that is not terminal. Progress replaces progress that nobody has read yet.
  /// Dropped once the request has ended.
  void push(Event event);
  /// Appends the terminal event. False, and nothing happens, if there was one already. Allocates
  /// nothing, so that a request can end when memory is what it lacks.
  bool finish(Event terminal) noexcept;

  /// The oldest event, or nothing.
  std::optional<Event> pop();
  /// The same, waiting for up to `timeout`.
  std::optional<Event> wait_pop(std::chrono::milliseconds timeout);

  /// The client is gone: when this returns, on_ready is not running and will not run. Drops what is
  /// queued. Not to be called from on_ready.
  void close();

  /// Since when the queue has been full; nothing if it is not.
  std::optional<SteadyClock::time_point> full_since() const;

 private:
  // Under mutex_. True if on_ready has to be called.
  bool append(Event event);
  bool announce(const Event& event) noexcept;
  std::optional<Event> take(bool& has_drained);
  void notify();

  const EventLimits limits_;
  const std::function<void()> on_drained_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::deque<Event> events_;
  std::optional<Event> terminal_;  // comes after events_
  std::size_t num_tokens_ = 0;
  std::size_t num_bytes_ = 0;
  bool is_armed_ = true;    // the consumer has seen the queue empty
  bool has_ended_ = false;  // the terminal event has come
  bool is_closed_ = false;
  std::optional<SteadyClock::time_point> full_since_;

  std::mutex callback_mutex_;  // held while on_ready_ runs
  std::function<void()> on_ready_;
};

}  // namespace vernal

#include "engine/request/event_queue.hpp"

#include <utility>

namespace vernal {

EventQueue::EventQueue(EventLimits limits, std::function<void()> on_ready,
                       std::function<void()> on_drained)
    : limits_(limits), on_drained_(std::move(on_drained)), on_ready_(std::move(on_ready)) {}

void EventQueue::push(Event event) {
  bool must_notify = false;
  {
    const std::lock_guard lock(mutex_);
    if (has_ended_ || is_closed_) {
      return;
    }
    const bool replaces = event.type == VERNAL_EVENT_PROGRESS && !events_.empty() &&
                          events_.back().type == VERNAL_EVENT_PROGRESS;
    if (replaces) {
      events_.back() = std::move(event);
      return;
    }
    must_notify = append(std::move(event));
  }
  if (must_notify) {
    notify();
  }
}

bool EventQueue::finish(Event terminal) noexcept {
  bool must_notify = false;
  {
    const std::lock_guard lock(mutex_);
    if (has_ended_) {
      return false;
    }
    has_ended_ = true;
    if (!is_closed_) {
      terminal_ = std::move(terminal);
      must_notify = announce(*terminal_);
    }
  }
  if (must_notify) {
    notify();
  }
  return true;
}

std::optional<Event> EventQueue::pop() {
  bool has_drained = false;
  std::optional<Event> event;
  {
    const std::lock_guard lock(mutex_);
    event = take(has_drained);
  }
  if (has_drained) {
    on_drained_();
  }
  return event;
}

std::optional<Event> EventQueue::wait_pop(std::chrono::milliseconds timeout) {
  bool has_drained = false;
  std::optional<Event> event;
  {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, timeout,
                      [&] { return !events_.empty() || terminal_.has_value() || is_closed_; });
    event = take(has_drained);
  }
  if (has_drained) {
    on_drained_();
  }
  return event;
}

void EventQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    events_.clear();
    terminal_.reset();
    num_tokens_ = 0;
    num_bytes_ = 0;
    full_since_.reset();
    arrived_.notify_all();
  }
  const std::lock_guard barrier(callback_mutex_);
  on_ready_ = nullptr;
}

std::optional<SteadyClock::time_point> EventQueue::full_since() const {
  const std::lock_guard lock(mutex_);
  return full_since_;
}

bool EventQueue::append(Event event) {
  events_.push_back(std::move(event));
  return announce(events_.back());
}

bool EventQueue::announce(const Event& event) noexcept {
  num_tokens_ += event.tokens.size();
  num_bytes_ += event.num_bytes();
  if (!full_since_ && (num_tokens_ >= limits_.max_tokens || num_bytes_ >= limits_.max_bytes)) {
    full_since_ = SteadyClock::now();
  }
  arrived_.notify_one();
  return std::exchange(is_armed_, false);
}

std::optional<Event> EventQueue::take(bool& has_drained) {
  std::optional<Event> taken;
  if (!events_.empty()) {
    taken = std::move(events_.front());
    events_.pop_front();
  } else {
    taken.swap(terminal_);
  }
  if (!taken) {
    is_armed_ = true;
    return std::nullopt;
  }
  const Event& event = *taken;
  num_tokens_ -= event.tokens.size();
  num_bytes_ -= event.num_bytes();
  const bool is_half_empty =
      num_tokens_ <= limits_.max_tokens / 2 && num_bytes_ <= limits_.max_bytes / 2;
  if (full_since_ && is_half_empty) {
    full_since_.reset();
    has_drained = true;
  }
  return taken;
}

void EventQueue::notify() {
  const std::lock_guard lock(callback_mutex_);
  if (on_ready_) {
    on_ready_();
  }
}

}  // namespace vernal

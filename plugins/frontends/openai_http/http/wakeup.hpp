// Lets threads of the core wake a coroutine.
#pragma once

#include <atomic>
#include <memory>

#include "openai_http/http/asio.hpp"

namespace vernal::openai_http {

/// One coroutine waits, any thread notifies. A notification that comes before the wait is
/// remembered; several count as one.
class Wakeup : public std::enable_shared_from_this<Wakeup> {
 public:
  /// `strand` is the executor of the coroutine that waits.
  explicit Wakeup(const net::any_io_executor& strand) : timer_(strand) {}

  /// Any thread; never blocks. The object must be owned by a shared_ptr.
  void notify() noexcept;

  /// Returns when there was a notification since it last returned, or at `deadline`. On the strand;
  /// one call at a time.
  net::awaitable<void> wait_until(TimePoint deadline);

 private:
  net::steady_timer timer_;
  std::atomic<bool> is_posted_ = false;
  bool is_notified_ = false;  // on the strand only
};

}  // namespace vernal::openai_http

// Lets threads of the core wake a coroutine.
#pragma once

#include <atomic>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "openai_http/http/asio.hpp"
#include "openai_http/http/handler_memory.hpp"

namespace vernal::openai_http {

/// One coroutine waits, any thread notifies. A notification that comes before the wait is
/// remembered; several count as one.
class Wakeup : public std::enable_shared_from_this<Wakeup> {
 public:
  /// `loop` runs the coroutine that waits, on one thread.
  explicit Wakeup(net::io_context& loop) : loop_(loop), timer_(loop) {}

  /// Any thread; never blocks, and needs no memory. The object must be owned by a shared_ptr.
  void notify() noexcept;

  /// Returns when there was a notification since it last returned, or at `deadline`. On the loop;
  /// one call at a time.
  net::awaitable<void> wait_until(TimePoint deadline);

 private:
  net::io_context& loop_;
  net::steady_timer timer_;
  HandlerMemory post_memory_;  // one function is posted at a time
  HandlerMemory wait_memory_;
  std::atomic<bool> is_posted_ = false;
  bool is_notified_ = false;  // on the loop only
};

}  // namespace vernal::openai_http

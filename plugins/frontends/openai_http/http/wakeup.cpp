#include "openai_http/http/wakeup.hpp"

#include <boost/asio/post.hpp>
#include <exception>

namespace vernal::openai_http {

void Wakeup::notify() noexcept {
  if (is_posted_.exchange(true)) return;
  try {
    net::post(timer_.get_executor(), [self = shared_from_this()] {
      self->is_posted_ = false;
      self->is_notified_ = true;
      self->timer_.cancel();
    });
  } catch (const std::exception&) {
    is_posted_ = false;  // out of memory: the next notification or the deadline wakes it
  }
}

net::awaitable<void> Wakeup::wait_until(TimePoint deadline) {
  if (!is_notified_) {
    timer_.expires_at(deadline);
    co_await timer_.async_wait(kAwait);
  }
  is_notified_ = false;
}

}  // namespace vernal::openai_http

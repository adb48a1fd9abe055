#include "openai_http/http/wakeup.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>

namespace vernal::openai_http {

void Wakeup::notify() noexcept {
  if (is_posted_.exchange(true)) return;
  const auto wake = [self = shared_from_this()] {
    self->is_posted_ = false;
    self->is_notified_ = true;
    self->timer_.cancel();
  };
  net::post(loop_, net::bind_allocator(in(post_memory_), wake));
}

net::awaitable<void> Wakeup::wait_until(TimePoint deadline) {
  if (!is_notified_) {
    timer_.expires_at(deadline);
    auto await = net::bind_allocator(in(wait_memory_), kAwait);
    co_await timer_.async_wait(await);
  }
  is_notified_ = false;
}

}  // namespace vernal::openai_http

#include "openai_http/server/acceptor.hpp"

#include <fmt/format.h>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <string>
#include <thread>
#include <utility>

#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

/// Pause after accept failed, most likely because the process has no descriptor left.
constexpr Milliseconds kAcceptPause{50};

Error cannot_listen(const Settings& settings, std::string_view why) {
  return Error(VERNAL_UNAVAILABLE, fmt::format("{}: cannot listen on {}:{}: {}", settings.name,
                                               settings.host, settings.port, why));
}

}  // namespace

Acceptor::Acceptor(EventLoop& loop, const Settings& settings, Hooks hooks)
    : loop_(loop),
      hooks_(std::move(hooks)),
      acceptor_(loop.context()),
      pause_timer_(loop.context()) {
  listen(settings);
}

void Acceptor::listen(const Settings& settings) {
  ErrorCode error;
  Tcp::resolver resolver(loop_.context());
  const auto found =
      resolver.resolve(settings.host, std::to_string(settings.port), Tcp::resolver::passive, error);
  if (error || found.empty()) throw cannot_listen(settings, error.message());
  const Tcp::endpoint endpoint = *found.begin();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (!error) endpoint_ = acceptor_.local_endpoint(error);
  if (error) throw cannot_listen(settings, error.message());
}

void Acceptor::accept_next() {
  if (is_closing_) {
    ErrorCode ignored;
    acceptor_.close(ignored);
    return;
  }
  auto then = [this, waiting = waiting_](ErrorCode error, Tcp::socket socket) {
    on_accepted(error, std::move(socket));
  };
  acceptor_.async_accept(hooks_.executor(), net::bind_allocator(in(*waiting_), std::move(then)));
}

void Acceptor::on_accepted(ErrorCode error, Tcp::socket socket) {
  bool has_taken = false;
  try {
    if (!error) hooks_.take(std::move(socket));
    has_taken = !error;
  } catch (const std::exception&) {
    has_taken = false;  // no memory for another connection
  }
  if (has_taken || is_closing_) {
    accept_next();
  } else {
    pause();
  }
}

void Acceptor::pause() {
  pause_timer_.expires_after(kAcceptPause);
  auto then = [this, waiting = waiting_](ErrorCode) { accept_next(); };
  pause_timer_.async_wait(net::bind_allocator(in(*waiting_), std::move(then)));
}

void Acceptor::revive() noexcept {
  while (waiting_.use_count() == 1 && acceptor_.is_open() && !is_closing_) {
    try {
      accept_next();
    } catch (const std::exception&) {
      std::this_thread::sleep_for(kAcceptPause);  // still no memory
    }
  }
}

void Acceptor::close() noexcept {
  if (is_closing_.exchange(true)) return;
  const auto close_now = [this, memory = closing_] {
    ErrorCode ignored;
    acceptor_.close(ignored);
    pause_timer_.cancel();
  };
  net::post(loop_.context(), net::bind_allocator(in(*closing_), close_now));
}

}  // namespace vernal::openai_http

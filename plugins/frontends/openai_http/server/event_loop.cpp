#include "openai_http/server/event_loop.hpp"

#include <utility>

namespace vernal::openai_http {
namespace {

constexpr int kOneThread = 1;  // runs the context; any may post to it

}  // namespace

EventLoop::EventLoop(std::function<void(const std::exception&)> on_error)
    : on_error_(std::move(on_error)), context_(kOneThread), work_(context_.get_executor()) {
  // The parts of the library that serve sockets and timers are made now, not with the first client.
  const Tcp::socket socket(context_);
  const net::steady_timer timer(context_);
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void EventLoop::stop() noexcept {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::run() noexcept {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      on_error_(error);
    }
  }
}

}  // namespace vernal::openai_http

// The listening socket.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "openai_http/http/asio.hpp"
#include "openai_http/http/handler_memory.hpp"
#include "openai_http/server/event_loop.hpp"
#include "openai_http/settings.hpp"

namespace vernal::openai_http {

/// Accepts connections on one loop and hands them on. Whatever goes wrong with one, it goes on to
/// accept others. On the loop's thread, unless stated otherwise.
class Acceptor {
 public:
  struct Hooks {
    /// Where the next connection is to run.
    std::function<net::any_io_executor()> executor;
    /// Takes a connection. May throw for lack of memory; the connection is closed then.
    std::function<void(Tcp::socket)> take;
  };

  /// Binds and listens. Throws Error(UNAVAILABLE) if the address is taken or unknown. Any thread.
  /// `loop` outlives it.
  Acceptor(EventLoop& loop, const Settings& settings, Hooks hooks);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  const Tcp::endpoint& endpoint() const noexcept { return endpoint_; }

  /// Begins to accept. May be called on another thread before the loop runs.
  void start() { accept_next(); }
  /// To be called after an error of the loop: begins anew if that has ended the accepting, and tries
  /// until there is memory for it.
  void revive() noexcept;
  /// Takes no more connections; the socket is closed soon. Any thread; needs no memory.
  void close() noexcept;

 private:
  void listen(const Settings& settings);
  void accept_next();
  void on_accepted(ErrorCode error, Tcp::socket socket);
  void pause();

  EventLoop& loop_;
  const Hooks hooks_;
  // Of what waits in the loop, accepting or a pause, which holds a copy until it has been called or
  // dropped; and of close().
  const std::shared_ptr<HandlerMemory> waiting_ = std::make_shared<HandlerMemory>();
  const std::shared_ptr<HandlerMemory> closing_ = std::make_shared<HandlerMemory>();
  std::atomic<bool> is_closing_ = false;
  Tcp::acceptor acceptor_;
  net::steady_timer pause_timer_;
  Tcp::endpoint endpoint_;
};

}  // namespace vernal::openai_http

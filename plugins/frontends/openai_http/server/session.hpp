// One client's connection: it serves request after request until one side closes.
#pragma once

#include <memory>

#include "openai_http/http/request_reader.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Everything but the constructor runs on the connection's loop. Owned by shared_ptr; the listener
/// holds it until run has returned or was dropped.
class Session {
 public:
  Session(HttpService& service, Tcp::socket socket);

  /// Serves the connection and closes it. If it is dropped, or throws because there is no memory to
  /// go on, the connection is still open: abort() closes it.
  net::awaitable<void> run();

  /// Ends the session because the server stops: at once if it is idle, else by cancelling the
  /// generation that runs.
  void stop();

  /// Breaks the connection off.
  void abort() noexcept { connection_->abort(); }

  net::any_io_executor executor() { return connection_->executor(); }
  net::io_context& loop() { return connection_->loop(); }
  /// For the one function that the listener posts to the loop at a time.
  HandlerMemory& post_memory() noexcept { return post_memory_; }

 private:
  /// Whether another request may follow.
  net::awaitable<bool> serve_next();
  net::awaitable<void> answer(Exchange& exchange, HttpRequest& request);
  net::awaitable<void> handle(Exchange& exchange, HttpRequest& request, bool& is_body_read);

  HttpService& service_;
  std::shared_ptr<Connection> connection_;
  RequestReader reader_;
  std::weak_ptr<Wakeup> serving_;  // of the exchange whose handler runs
  HandlerMemory post_memory_;
};

}  // namespace vernal::openai_http

// One client's connection: it serves request after request until one side closes.
#pragma once

#include <memory>

#include "openai_http/http/request_reader.hpp"
#include "openai_http/server/exchange.hpp"

namespace vernal::openai_http {

/// Everything but the constructor runs on the connection's strand. Owned by shared_ptr; the
/// listener holds it until run returns.
class Session {
 public:
  Session(HttpService& service, Tcp::socket socket);

  /// Serves the connection and closes it. Throws nothing.
  net::awaitable<void> run();

  /// Ends the session because the server stops: at once if it is idle, else by cancelling the
  /// generation that runs.
  void stop();

  /// Breaks the connection off.
  void abort() noexcept { connection_->abort(); }

  net::any_io_executor executor() { return connection_->executor(); }

 private:
  /// Whether another request may follow.
  net::awaitable<bool> serve_next();
  net::awaitable<void> answer(Exchange& exchange, HttpRequest& request);
  net::awaitable<void> handle(Exchange& exchange, HttpRequest& request, bool& is_body_read);

  HttpService& service_;
  std::shared_ptr<Connection> connection_;
  RequestReader reader_;
  std::weak_ptr<Wakeup> serving_;  // of the exchange whose handler runs
};

}  // namespace vernal::openai_http

#include "openai_http/server/session.hpp"

#include <exception>
#include <new>
#include <optional>
#include <utility>

#include "openai_http/server/routes.hpp"

namespace vernal::openai_http {
namespace {

/// While the server stops, it waits no longer than this for one client to close its side.
constexpr Milliseconds kShortLinger{50};

/// The exception being handled, as an error for the client.
ApiError current_error() {
  try {
    throw;
  } catch (const RequestRefused& refused) {
    return refused.error();
  } catch (const Error& error) {
    return error_of_status(error.code(), error.what(), {});
  } catch (const std::bad_alloc&) {
    return at_capacity("there is no memory for the request");
  } catch (const std::exception& exception) {
    return internal_error(exception.what());
  }
}

}  // namespace

Session::Session(HttpService& service, Tcp::socket socket)
    : service_(service),
      connection_(std::make_shared<Connection>(std::move(socket))),
      reader_(connection_, service.settings, service.body_budget) {}

net::awaitable<void> Session::run() {
  try {
    // The two conditions stand apart on purpose. In a loop's condition, g++ 12 evaluates
    // `a && co_await b` wrongly: it awaits b even if a is false.
    bool goes_on = true;
    while (goes_on && !service_.is_stopping) goes_on = co_await serve_next();
  } catch (const std::exception& exception) {
    service_.log(VERNAL_LOG_WARNING, std::string("a connection failed: ") + exception.what());
  }
  if (service_.is_stopping) {
    co_await connection_->close_gently(kShortLinger);
  } else {
    co_await connection_->close_gently();
  }
}

void Session::stop() {
  if (const auto wakeup = serving_.lock()) {
    wakeup->notify();
  } else {
    connection_->abort();
  }
}

net::awaitable<bool> Session::serve_next() {
  HttpRequest request;
  std::optional<ApiError> refusal;
  try {
    if (!co_await reader_.read_head(request)) co_return false;
  } catch (const RequestRefused& refused) {
    refusal = refused.error();
  }
  Exchange exchange(service_, connection_, request);
  if (refusal) {
    exchange.close_after();
    co_await exchange.send_error(std::move(*refusal));
    exchange.log_record();
    co_return false;
  }
  co_await answer(exchange, request);
  exchange.log_record();
  reader_.finish_request();
  co_return exchange.keeps_alive();
}

net::awaitable<void> Session::answer(Exchange& exchange, HttpRequest& request) {
  std::optional<ApiError> error;
  bool is_body_read = !request.head.has_body();
  try {
    co_await handle(exchange, request, is_body_read);
  } catch (...) {
    error = current_error();
  }
  serving_.reset();
  if (!error) co_return;
  // A body that was not read to its end hides where the next request begins: close.
  if (!is_body_read || exchange.has_begun()) exchange.close_after();
  if (!exchange.has_begun()) co_await exchange.send_error(std::move(*error));
}

net::awaitable<void> Session::handle(Exchange& exchange, HttpRequest& request, bool& is_body_read) {
  const Handler handler = route(exchange);
  co_await exchange.send_continue();
  is_body_read = co_await reader_.read_body(request);
  if (!is_body_read) {
    exchange.close_after();
    co_return;
  }
  serving_ = exchange.wakeup();
  co_await handler(exchange);
}

}  // namespace vernal::openai_http

#include "openai_http/server/session.hpp"

#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "openai_http/server/routes.hpp"

namespace vernal::openai_http {
namespace {

/// While the server stops, it waits no longer than this for one client to close its side.
constexpr Milliseconds kShortLinger{50};

/// Sent where there is no memory to make an answer. The end of the connection ends it.
constexpr std::string_view kNoMemory =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/json\r\n"
    "Retry-After: 2\r\n"
    "Connection: close\r\n\r\n"
    R"({"error":{"message":"The server has no memory to answer the request. Try again later.",)"
    R"("type":"server_error","param":null,"code":"server_is_overloaded"}})";

}  // namespace

Session::Session(HttpService& service, Tcp::socket socket)
    : service_(service),
      connection_(std::make_shared<Connection>(std::move(socket))),
      reader_(connection_, service.settings, service.body_budget) {}

net::awaitable<void> Session::run() {
  bool has_failed = false;
  std::uint64_t num_writes_before = 0;
  try {
    // The two conditions stand apart on purpose. In a loop's condition, g++ 12 evaluates
    // `a && co_await b` wrongly: it awaits b even if a is false.
    bool goes_on = true;
    while (goes_on && !service_.is_stopping) {
      num_writes_before = connection_->num_writes();
      goes_on = co_await serve_next();
    }
  } catch (const std::exception& exception) {
    has_failed = true;
    service_.log(VERNAL_LOG_WARNING,
                 [&] { return std::string("a connection failed: ") + exception.what(); });
  }
  const bool is_unanswered = has_failed && connection_->num_writes() == num_writes_before;
  if (is_unanswered) {
    const TimePoint deadline = Clock::now() + service_.settings.write_timeout;
    co_await connection_->write_all(kNoMemory, deadline);
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

// The few names of Boost.Asio that this plugin uses.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>

namespace vernal::openai_http {

namespace net = boost::asio;

using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// Makes an operation in a coroutine return a tuple with the error first, instead of throwing.
inline constexpr auto kAwait = net::as_tuple(net::use_awaitable);

/// The loop of an executor, which must be that of one.
inline net::io_context& loop_of(const net::any_io_executor& executor) {
  constexpr auto kContext = net::execution::context_as<net::execution_context&>;
  return static_cast<net::io_context&>(net::query(executor, kContext));
}

}  // namespace vernal::openai_http

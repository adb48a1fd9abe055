// One TCP connection: reads and writes with deadlines, and the watch for a client that leaves.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "openai_http/http/asio.hpp"
#include "openai_http/http/handler_memory.hpp"

namespace vernal::openai_http {

/// Outcome of a read or a write.
struct IoResult {
  ErrorCode error;
  std::size_t size = 0;     // bytes transferred
  bool is_timeout = false;  // the deadline passed; error is set too
  bool ok() const noexcept { return !error; }
};

/// A connected socket. Runs one read or write at a time; the watch for the client may be on beside
/// it. Pending operations hold a shared_ptr to it. Loop of the socket only.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Tcp::socket socket);

  net::any_io_executor executor() { return socket_.get_executor(); }
  net::io_context& loop() { return loop_of(socket_.get_executor()); }

  /// "127.0.0.1:50412", the other side; empty if the connection broke before it was looked at.
  const std::string& peer() const noexcept { return peer_; }
  /// "127.0.0.1", the address of this side, or empty.
  const std::string& local_address() const noexcept { return local_address_; }
  /// How often write_all was called.
  std::uint64_t num_writes() const noexcept { return num_writes_; }

  /// Waits until there are bytes to read, or the end of the connection.
  net::awaitable<IoResult> wait_readable(TimePoint deadline);
  net::awaitable<IoResult> read_some(net::mutable_buffer buffer, TimePoint deadline);
  /// Writes all of `bytes`, which must live until it returns.
  net::awaitable<IoResult> write_all(std::string_view bytes, TimePoint deadline);

  /// Tells the client that nothing more will be sent, reads and drops what it still sends, for
  /// `linger` at most, and closes. Closing at once would reset the connection, and the client could
  /// lose the answer.
  net::awaitable<void> close_gently(Milliseconds linger = Milliseconds(3000));

  /// Closes at once. Pending operations fail.
  void abort() noexcept;

  /// Calls `on_gone` once if the client closes its side or the connection breaks. Does not read
  /// bytes that come meanwhile. Must be ended with stop_watching.
  void watch_peer(std::function<void()> on_gone);
  void stop_watching() noexcept;

 private:
  /// The socket's operations are cancelled at `deadline` unless end_deadline comes first.
  void begin_deadline(TimePoint deadline);
  /// Whether the deadline passed.
  bool end_deadline() noexcept;
  void watch_again();
  void look_at_peer();

  Tcp::socket socket_;
  std::string peer_;
  std::string local_address_;
  net::steady_timer deadline_timer_;
  net::steady_timer watch_timer_;
  HandlerMemory operation_memory_;  // of the one read or write
  std::function<void()> on_gone_;
  // Each operation has a number, so that a late callback of an earlier one is recognised.
  std::uint64_t deadline_number_ = 0;
  std::uint64_t watch_number_ = 0;
  std::uint64_t num_writes_ = 0;
  bool is_expired_ = false;
};

}  // namespace vernal::openai_http

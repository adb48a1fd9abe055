// One TCP connection: reads and writes with deadlines, and the watch for a client that leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "openai_http/http/asio.hpp"

namespace vernal::openai_http {

/// Outcome of a read or a write.
struct IoResult {
  ErrorCode error;
  std::size_t size = 0;     // bytes transferred
  bool is_timeout = false;  // the deadline passed; error is set too
  bool ok() const noexcept { return !error; }
};

/// A connected socket. Everything runs on the socket's strand; one operation at a time, beside
/// which the watch may be on. Owned by shared_ptr, which pending operations hold.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Tcp::socket socket);

  net::any_io_executor executor() { return socket_.get_executor(); }

  /// Waits until bytes have come, or the end.
  net::awaitable<IoResult> wait_readable(TimePoint deadline);
  net::awaitable<IoResult> read_some(net::mutable_buffer buffer, TimePoint deadline);
  /// All of `bytes`, which must live until it returns.
  net::awaitable<IoResult> write_all(std::string_view bytes, TimePoint deadline);

  /// Says that nothing more will be sent, reads and drops what the client still sends, for `linger`
  /// at most, and closes. Closing at once would reset the connection and take the answer from the
  /// client.
  net::awaitable<void> close_gently(Milliseconds linger = Milliseconds(3000));

  /// Closes at once; what is pending fails.
  void abort() noexcept;

  /// Calls `on_gone` once if the client closes its side or the connection breaks. Bytes that come
  /// meanwhile stay unread. Must be ended with stop_watching.
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
  net::steady_timer deadline_timer_;
  net::steady_timer watch_timer_;
  std::function<void()> on_gone_;
  // Numbers tell callbacks of operations that are over from those of the current one.
  std::uint64_t deadline_number_ = 0;
  std::uint64_t watch_number_ = 0;
  bool is_expired_ = false;
};

}  // namespace vernal::openai_http

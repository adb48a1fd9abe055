#include "openai_http/http/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>
#include <vector>

namespace vernal::openai_http {
namespace {

constexpr std::size_t kLingerBytes = std::size_t{64} << 20;
/// A socket with unread bytes is readable all the time, so the watch looks again only after this.
constexpr Milliseconds kPeerInterval{50};

enum class Peer { kSilent, kSending, kGone };

Peer peek(int descriptor) {
  char byte = 0;
  const ssize_t size = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return Peer::kSending;
  if (size == 0) return Peer::kGone;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Peer::kSilent : Peer::kGone;
}

std::string as_text(const Tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

}  // namespace

Connection::Connection(Tcp::socket socket)
    : socket_(std::move(socket)),
      deadline_timer_(socket_.get_executor()),
      watch_timer_(socket_.get_executor()) {
  ErrorCode ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  ErrorCode error;
  const Tcp::endpoint remote = socket_.remote_endpoint(error);
  if (!error) peer_ = as_text(remote);
  const Tcp::endpoint local = socket_.local_endpoint(error);
  if (!error) local_address_ = local.address().to_string();
}

void Connection::begin_deadline(TimePoint deadline) {
  is_expired_ = false;
  const std::uint64_t number = ++deadline_number_;
  deadline_timer_.expires_at(deadline);
  deadline_timer_.async_wait([self = shared_from_this(), number](ErrorCode error) {
    if (error || number != self->deadline_number_) return;
    self->is_expired_ = true;
    ErrorCode ignored;
    self->socket_.cancel(ignored);
  });
}

bool Connection::end_deadline() noexcept {
  ++deadline_number_;
  deadline_timer_.cancel();
  return std::exchange(is_expired_, false);
}

net::awaitable<IoResult> Connection::wait_readable(TimePoint deadline) {
  begin_deadline(deadline);
  auto await = net::bind_allocator(in(operation_memory_), kAwait);
  auto [error] = co_await socket_.async_wait(Tcp::socket::wait_read, await);
  const bool is_timeout = end_deadline();
  co_return IoResult{error, 0, is_timeout};
}

net::awaitable<IoResult> Connection::read_some(net::mutable_buffer buffer, TimePoint deadline) {
  begin_deadline(deadline);
  auto await = net::bind_allocator(in(operation_memory_), kAwait);
  auto [error, size] = co_await socket_.async_read_some(buffer, await);
  const bool is_timeout = end_deadline();
  co_return IoResult{error, size, is_timeout};
}

net::awaitable<IoResult> Connection::write_all(std::string_view bytes, TimePoint deadline) {
  begin_deadline(deadline);
  ++num_writes_;
  const net::const_buffer buffer(bytes.data(), bytes.size());
  auto await = net::bind_allocator(in(operation_memory_), kAwait);
  auto [error, size] = co_await net::async_write(socket_, buffer, await);
  const bool is_timeout = end_deadline();
  co_return IoResult{error, size, is_timeout};
}

net::awaitable<void> Connection::close_gently(Milliseconds linger) {
  ErrorCode error;
  socket_.shutdown(Tcp::socket::shutdown_send, error);
  const TimePoint deadline = Clock::now() + linger;
  std::vector<char> dropped(4096);
  const net::mutable_buffer buffer(dropped.data(), dropped.size());
  std::size_t left = error ? 0 : kLingerBytes;
  while (left > 0) {
    const IoResult result = co_await read_some(buffer, deadline);
    if (!result.ok()) break;
    left -= std::min(left, result.size);
  }
  abort();
}

void Connection::abort() noexcept {
  ErrorCode ignored;
  socket_.close(ignored);
  deadline_timer_.cancel();
}

void Connection::watch_peer(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  ++watch_number_;
  watch_again();
}

void Connection::stop_watching() noexcept {
  ++watch_number_;
  on_gone_ = nullptr;
  watch_timer_.cancel();
  ErrorCode ignored;
  if (socket_.is_open()) socket_.cancel(ignored);
}

void Connection::watch_again() {
  socket_.async_wait(Tcp::socket::wait_read,
                     [self = shared_from_this(), number = watch_number_](ErrorCode) {
                       if (number == self->watch_number_) self->look_at_peer();
                     });
}

void Connection::look_at_peer() {
  const Peer peer = socket_.is_open() ? peek(socket_.native_handle()) : Peer::kGone;
  if (peer == Peer::kGone) {
    std::exchange(on_gone_, nullptr)();
    return;
  }
  watch_timer_.expires_after(kPeerInterval);
  watch_timer_.async_wait([self = shared_from_this(), number = watch_number_](ErrorCode) {
    if (number == self->watch_number_) self->watch_again();
  });
}

}  // namespace vernal::openai_http

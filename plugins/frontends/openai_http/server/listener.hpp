// Where the frontend listens: its socket, its threads, and the sessions of its clients.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "openai_http/server/service.hpp"
#include "openai_http/server/session.hpp"

namespace vernal::openai_http {

/// Call in this order: constructor (binds), run, begin_drain (optional), stop, destructor. Control
/// thread only, except url, port and active.
class Listener {
 public:
  /// Binds and listens. Throws Error(UNAVAILABLE) if the address is taken or unknown.
  Listener(Settings settings, EngineClient engine, TextClient text);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Starts the threads and begins to accept connections.
  void run();

  /// Closes the listening socket. Open connections stay open, but new requests on them are answered
  /// 503.
  void begin_drain();

  /// Requests whose head is read and whose answer is not complete.
  std::uint64_t active() const noexcept { return service_.counters.active_requests; }

  /// Cancels what runs, gives it up to two seconds to tell its client, closes every connection and
  /// joins all threads. May be called twice.
  void stop() noexcept;

  /// "http://127.0.0.1:8080", with the real port where port 0 was asked for.
  std::string url() const;
  std::uint16_t port() const noexcept { return endpoint_.port(); }

 private:
  void listen();
  void limit_connections();
  /// The body of a thread. An error that the library lets out, which only a lack of memory makes it,
  /// ends what it was about, and nothing else.
  void serve_thread() noexcept;
  void start_accepting();
  net::awaitable<void> accept_connections();
  void admit(Tcp::socket socket);
  void turn_away(Tcp::socket socket);
  net::awaitable<void> answer_at_capacity(std::shared_ptr<Connection> connection);
  void close_listener();
  void forget(const std::shared_ptr<Session>& session);
  template <class Action>
  void for_each_session(Action action);

  HttpService service_;
  std::atomic<bool> is_accepting_ = false;  // whether accept_connections() lives
  net::io_context io_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  Tcp::acceptor acceptor_;
  Tcp::endpoint endpoint_;
  std::uint64_t max_connections_;
  std::uint64_t num_turned_away_ = 0;  // connections being answered 503; acceptor's strand
  std::vector<std::thread> threads_;
  std::mutex mutex_;  // guards sessions_
  std::condition_variable session_ended_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
};

}  // namespace vernal::openai_http

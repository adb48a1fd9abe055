// Where the frontend listens: its socket, its threads, and the sessions of its clients.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "openai_http/server/acceptor.hpp"
#include "openai_http/server/event_loop.hpp"
#include "openai_http/server/service.hpp"
#include "openai_http/server/session.hpp"

namespace vernal::openai_http {

/// Deals the connections out to its loops, of which the first also accepts them. Call in this order:
/// constructor (binds), run, begin_drain (optional), stop, destructor. Control thread only, except
/// url, port and active.
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
  void begin_drain() noexcept;

  /// Requests whose head is read and whose answer is not complete.
  std::uint64_t active() const noexcept { return service_.counters.active_requests; }

  /// Cancels what runs, gives it up to two seconds to tell its client, closes every connection and
  /// joins all threads. May be called twice.
  void stop() noexcept;

  /// "http://127.0.0.1:8080", with the real port where port 0 was asked for.
  std::string url() const;
  std::uint16_t port() const noexcept { return acceptor_->endpoint().port(); }

 private:
  class Place;
  class Admission;

  void limit_connections();
  void make_loops();
  void make_acceptor();
  /// On the loop that met it.
  void on_loop_error(std::size_t loop, const std::exception& error) noexcept;

  /// On the first loop. Hands the connection to its own.
  void take(Tcp::socket socket);

  // On the loop of the connection.
  void admit(Place place, Tcp::socket socket);
  void turn_away(Place place, Tcp::socket socket);
  static net::awaitable<void> serve(Admission admission);
  static net::awaitable<void> answer_at_capacity(std::shared_ptr<Connection> connection,
                                                 Place place);

  void forget(const std::shared_ptr<Session>& session) noexcept;
  /// Until no session is left, for up to two seconds.
  void wait_for_sessions();
  template <class Action>
  void for_each_session(Action action);

  HttpService service_;
  std::uint64_t max_connections_;
  std::atomic<std::uint64_t> num_turned_away_ = 0;  // connections being answered 503
  std::size_t next_loop_ = 0;                       // for the next connection; of the first loop
  std::mutex mutex_;                                // guards sessions_
  std::condition_variable session_ended_;
  std::unordered_set<std::shared_ptr<Session>> sessions_;
  bool is_running_ = false;
  // What waits in the loops refers to all of the above.
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace vernal::openai_http

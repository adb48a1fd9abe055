// One request and its answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "openai_http/http/connection.hpp"
#include "openai_http/http/request_reader.hpp"
#include "openai_http/http/response.hpp"
#include "openai_http/http/wakeup.hpp"
#include "openai_http/server/service.hpp"

namespace vernal::openai_http {

/// What a route's handler works with: the request, and the only way to answer it. Strand of the
/// connection only; lives until the answer is sent. A handler either calls send once, or
/// begin_stream, then write_stream and at last end_stream.
class Exchange {
 public:
  Exchange(HttpService& service, std::shared_ptr<Connection> connection, HttpRequest& request);
  ~Exchange();

  HttpService& service() noexcept { return service_; }
  Connection& connection() noexcept { return *connection_; }
  const HttpRequest& request() const noexcept { return request_; }
  const std::string& request_id() const noexcept { return request_id_; }
  Dialect dialect() const noexcept { return dialect_; }
  void set_dialect(Dialect dialect) noexcept { dialect_ = dialect; }

  /// What was asked for, without the prefix of an alias: "/v1/models".
  std::string_view path() const noexcept { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

  /// Wakes this exchange's coroutine: events of the engine, the client's leaving, the server's
  /// stop.
  const std::shared_ptr<Wakeup>& wakeup() const noexcept { return wakeup_; }

  /// No further request is read from the connection after this answer.
  void close_after() noexcept { framing_.keep_alive = false; }
  bool keeps_alive() const noexcept { return framing_.keep_alive && !is_broken_; }

  /// Whether the answer's head is on its way, after which no other status can be sent.
  bool has_begun() const noexcept { return has_begun_; }
  /// The client has left or does not read: nothing can be sent any more.
  bool is_broken() const noexcept { return is_broken_; }

  net::awaitable<void> send(Response response);
  net::awaitable<void> send_error(ApiError error);
  /// 100 Continue, if the client waits for it.
  net::awaitable<void> send_continue();

  net::awaitable<void> begin_stream();
  net::awaitable<void> write_stream(std::string_view data);
  net::awaitable<void> end_stream();

  /// Runs `work` on a worker thread; what it throws is thrown here. It may refer to what the caller
  /// owns: this returns only when it is done.
  net::awaitable<void> run_elsewhere(std::function<void()> work);

  /// From now on, until it goes, the client is watched: when it leaves, the exchange is broken and
  /// woken.
  class PeerWatch {
   public:
    explicit PeerWatch(Exchange& exchange);
    PeerWatch(const PeerWatch&) = delete;
    PeerWatch& operator=(const PeerWatch&) = delete;
    ~PeerWatch();

   private:
    Connection& connection_;
  };

 private:
  net::awaitable<void> write(std::string_view bytes);
  HeaderList common_headers() const;
  void count_answer(unsigned status) noexcept;

  HttpService& service_;
  std::shared_ptr<Connection> connection_;
  HttpRequest& request_;
  std::shared_ptr<Wakeup> wakeup_;
  std::string request_id_;
  std::string path_;
  Dialect dialect_ = Dialect::kOpenAi;
  Framing framing_;
  TimePoint begin_ = Clock::now();
  bool has_begun_ = false;
  bool is_broken_ = false;
};

}  // namespace vernal::openai_http

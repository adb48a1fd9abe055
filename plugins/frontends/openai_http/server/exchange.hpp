// One request and its answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "openai_http/http/connection.hpp"
#include "openai_http/http/request_reader.hpp"
#include "openai_http/http/response.hpp"
#include "openai_http/http/wakeup.hpp"
#include "openai_http/server/endpoint.hpp"
#include "openai_http/server/request_record.hpp"
#include "openai_http/server/service.hpp"

namespace vernal::openai_http {

/// A request together with the means to answer it; this is what a handler gets. A handler either
/// calls send once, or it calls begin_stream, then write_stream, and at last end_stream. Lives
/// until the answer is sent. Loop of the connection only.
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

  /// What was asked for, as the table of endpoints names it: "/v1/models".
  std::string_view path() const noexcept { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

  /// The row of the table that answers; only after route() found one.
  const Endpoint& endpoint() const noexcept { return *endpoint_; }
  void set_endpoint(const Endpoint& endpoint) noexcept { endpoint_ = &endpoint; }

  /// What stands for {id} in the path.
  std::string_view path_id() const noexcept { return id_in_path(endpoint_->path, path_); }

  /// Who asks: the number of its key; 0 where no key is asked for. Only after route().
  std::size_t client() const noexcept { return client_; }
  void set_client(std::size_t client) noexcept { client_ = client; }

  /// What the log will say of this request.
  RequestRecord& record() noexcept { return record_; }
  /// Writes the record: at level info what made the engine work and what was refused, at level
  /// debug the rest (probes of health and metrics, lists of models). To be called once, when the
  /// answer has been sent or given up.
  void log_record();

  /// Wakes this exchange's coroutine. The engine notifies it of events; it is notified too when the
  /// client leaves and when the server stops.
  const std::shared_ptr<Wakeup>& wakeup() const noexcept { return wakeup_; }

  /// No further request is read from the connection after this answer.
  void close_after() noexcept { framing_.keep_alive = false; }
  bool keeps_alive() const noexcept { return framing_.keep_alive && !is_broken_; }

  /// Whether the answer's head is on its way, after which no other status can be sent. It is not if
  /// there was no memory to write it.
  bool has_begun() const noexcept {
    return has_head_ && (is_broken_ || connection_->num_writes() > num_writes_before_);
  }
  /// The client has left or does not read before it had its whole answer: nothing can be sent any
  /// more.
  bool is_broken() const noexcept { return is_broken_ && !is_complete_; }

  net::awaitable<void> send(Response response);
  net::awaitable<void> send_error(ApiError error);
  /// 100 Continue, if the client waits for it.
  net::awaitable<void> send_continue();

  net::awaitable<void> begin_stream();
  net::awaitable<void> write_stream(std::string_view data);
  net::awaitable<void> end_stream();

  /// Runs `work` on a worker thread and returns when it is done, so `work` may refer to what the
  /// caller owns. Throws what `work` throws. If this coroutine is dropped, `work` does not run, or
  /// has ended before.
  net::awaitable<void> run_elsewhere(std::function<void()> work);

  /// Watches the client for as long as the object lives. If the client leaves, the exchange becomes
  /// broken and its coroutine is woken.
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
  /// Whether all was written.
  net::awaitable<bool> write(std::string_view bytes);
  HeaderList common_headers() const;
  /// The head of an answer with this status is about to be written.
  void note_head(unsigned status) noexcept;

  HttpService& service_;
  std::shared_ptr<Connection> connection_;
  HttpRequest& request_;
  std::shared_ptr<Wakeup> wakeup_;
  std::string request_id_;
  std::string path_;
  Dialect dialect_ = Dialect::kOpenAi;
  const Endpoint* endpoint_ = nullptr;
  std::size_t client_ = 0;
  RequestRecord record_;
  Framing framing_;
  bool has_head_ = false;                // it has been made
  std::uint64_t num_writes_before_ = 0;  // of the connection, before the head
  bool is_broken_ = false;
  bool is_written_ = true;    // all of the newest bytes
  bool is_complete_ = false;  // the whole answer was written, whether or not the client left then
};

}  // namespace vernal::openai_http

#include "openai_http/server/exchange.hpp"

#include <atomic>
#include <boost/asio/post.hpp>
#include <exception>
#include <mutex>
#include <utility>

#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/server/routes.hpp"

namespace vernal::openai_http {
namespace {

/// What a worker thread does for a coroutine, which gives it up when it is dropped.
class BorrowedWork {
 public:
  explicit BorrowedWork(std::function<void()> work) : work_(std::move(work)) {}

  /// On the worker thread. Does nothing if it was given up.
  void run() noexcept {
    const std::lock_guard lock(mutex_);
    try {
      if (work_) work_();
    } catch (...) {
      exception_ = std::current_exception();
    }
    is_done_ = true;
  }
  /// The work has ended when this returns, or will not begin.
  void give_up() noexcept {
    const std::lock_guard lock(mutex_);
    work_ = nullptr;
  }
  bool is_done() const noexcept { return is_done_; }
  /// Throws what the work threw. Only when it is done.
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;  // guards work_, and is held while it runs
  std::function<void()> work_;
  std::exception_ptr exception_;
  std::atomic<bool> is_done_ = false;
};

}  // namespace

Exchange::Exchange(HttpService& service, std::shared_ptr<Connection> connection,
                   HttpRequest& request)
    : service_(service),
      connection_(std::move(connection)),
      request_(request),
      wakeup_(std::make_shared<Wakeup>(connection_->loop())),
      request_id_(make_id("req_")),
      path_(request.head.path) {
  framing_.keep_alive = request.head.keep_alive;
  framing_.http10 = request.head.http10;
  framing_.head_only = request.head.method == "HEAD";
  framing_.idle_s = static_cast<unsigned>(service_.settings.idle_timeout.count() / 1000);
  record_.id = request_id_;
  record_.client = connection_->peer();
  record_.method = request.head.method;
  record_.path = request.head.path;
  ++service_.counters.active_requests;
}

Exchange::~Exchange() { --service_.counters.active_requests; }

HeaderList Exchange::common_headers() const {
  HeaderList headers = service_.cors.answer_headers(request_.origin);
  headers.emplace_back("x-request-id", request_id_);
  headers.emplace_back("request-id", request_id_);
  return headers;
}

void Exchange::note_head(unsigned status) noexcept {
  has_head_ = true;
  num_writes_before_ = connection_->num_writes();
  record_.status = status;
  const unsigned status_class = status / 100;
  if (status_class < 6) ++service_.counters.answers_by_class[status_class];
}

net::awaitable<bool> Exchange::write(std::string_view bytes) {
  if (bytes.empty()) co_return is_written_;
  is_written_ = !is_broken_;
  if (is_broken_) co_return false;
  const TimePoint deadline = Clock::now() + service_.settings.write_timeout;
  const IoResult result = co_await connection_->write_all(bytes, deadline);
  if (result.is_timeout) record_.error = "client_stalled";
  is_written_ = result.ok();
  if (!is_written_) is_broken_ = true;
  co_return is_written_;
}

net::awaitable<void> Exchange::send(Response response) {
  HeaderList headers = common_headers();
  for (auto& header : response.headers) headers.push_back(std::move(header));
  response.headers = std::move(headers);
  const std::string bytes = render_response(response, framing_);
  note_head(response.status);
  is_complete_ = co_await write(bytes);
}

void Exchange::log_record() {
  constexpr unsigned kClientClosed = 499;  // nothing was sent: it left before
  if (record_.status == 0) record_.status = kClientClosed;
  const bool is_over = (is_broken_ && !is_complete_) || record_.status == kClientClosed;
  if (is_over && record_.error.empty()) record_.error = "client_left";
  service_.counters.routes.count(
      endpoint_ == nullptr ? RouteCounters::kNoRoute : route_number(*endpoint_), record_.status);
  const bool computes = endpoint_ != nullptr && endpoint_->work == Work::kComputes;
  const bool is_refused = record_.status >= 400 && (endpoint_ == nullptr || record_.status < 500);
  service_.log(computes || is_refused ? VERNAL_LOG_INFO : VERNAL_LOG_DEBUG,
               [this] { return record_.to_event(); });
}

net::awaitable<void> Exchange::send_error(ApiError error) {
  Response response;
  record_.error = error.code;
  response.status = error.status;
  response.body = render_error(error, dialect_, request_id_);
  if (error.retry_after_s > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  }
  if (!error.allowed_methods.empty()) {
    response.headers.emplace_back("Allow", std::move(error.allowed_methods));
  }
  if (error.status == 415) response.headers.emplace_back("Accept-Encoding", kAcceptedCodings);
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  co_await send(std::move(response));
}

net::awaitable<void> Exchange::send_continue() {
  if (request_.head.expects_continue) co_await write("HTTP/1.1 100 Continue\r\n\r\n");
}

net::awaitable<void> Exchange::begin_stream() {
  if (framing_.http10) framing_.keep_alive = false;
  const HeaderList headers = common_headers();
  const std::string bytes = render_stream_head(headers, framing_);
  note_head(200);
  co_await write(bytes);
}

net::awaitable<void> Exchange::write_stream(std::string_view data) {
  const std::string chunk = render_chunk(data, framing_);
  co_await write(chunk);
}

net::awaitable<void> Exchange::end_stream() {
  // Many clients leave with the last event and do not wait for the end of the framing.
  is_complete_ = is_written_;
  co_await write(last_chunk(framing_));
}

net::awaitable<void> Exchange::run_elsewhere(std::function<void()> work) {
  class GiveUp {
   public:
    explicit GiveUp(BorrowedWork& borrowed) : borrowed_(borrowed) {}
    GiveUp(const GiveUp&) = delete;
    GiveUp& operator=(const GiveUp&) = delete;
    ~GiveUp() { borrowed_.give_up(); }

   private:
    BorrowedWork& borrowed_;
  };
  const auto borrowed = std::make_shared<BorrowedWork>(std::move(work));
  const GiveUp give_up(*borrowed);
  net::post(service_.workers, [borrowed, wakeup = wakeup_] {
    borrowed->run();
    wakeup->notify();
  });
  // The notification ends the wait; the second is only a limit for one round of the loop.
  while (!borrowed->is_done()) co_await wakeup_->wait_until(Clock::now() + std::chrono::seconds(1));
  borrowed->rethrow();
}

Exchange::PeerWatch::PeerWatch(Exchange& exchange) : connection_(exchange.connection()) {
  connection_.watch_peer([&exchange] {
    exchange.is_broken_ = true;
    exchange.wakeup_->notify();
  });
}

Exchange::PeerWatch::~PeerWatch() { connection_.stop_watching(); }

}  // namespace vernal::openai_http

#include "openai_http/server/listener.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <exception>
#include <utility>

#include "openai_http/protocol/identifiers.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::chrono::seconds kFarewell{2};
/// Pause after accept failed, most likely because the process has no descriptor left.
constexpr Milliseconds kAcceptPause{50};
/// Of the connections above the limit, this many at a time are answered 503. More are closed
/// without an answer.
constexpr std::uint64_t kMaxTurnedAway = 64;
/// Descriptors that the rest of the process needs.
constexpr std::uint64_t kOtherDescriptors = 64;

/// Says that the accepting coroutine is no more, also where the library drops it in the middle.
class AcceptingEnds {
 public:
  explicit AcceptingEnds(std::atomic<bool>& is_accepting) : is_accepting_(is_accepting) {}
  AcceptingEnds(const AcceptingEnds&) = delete;
  AcceptingEnds& operator=(const AcceptingEnds&) = delete;
  ~AcceptingEnds() { is_accepting_ = false; }

 private:
  std::atomic<bool>& is_accepting_;
};

Error cannot_listen(const Settings& settings, std::string_view why) {
  return Error(VERNAL_UNAVAILABLE, fmt::format("{}: cannot listen on {}:{}: {}", settings.name,
                                               settings.host, settings.port, why));
}

}  // namespace

Listener::Listener(Settings settings, EngineClient engine, TextClient text)
    : service_(std::move(settings), engine, text),
      work_(io_.get_executor()),
      acceptor_(net::make_strand(io_)),
      max_connections_(service_.settings.max_connections) {
  limit_connections();
  listen();
}

Listener::~Listener() { stop(); }

void Listener::limit_connections() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::uint64_t available = limit.rlim_cur > 2 * kOtherDescriptors
                                      ? limit.rlim_cur - kOtherDescriptors
                                      : kOtherDescriptors;
  if (available >= max_connections_) return;
  service_.log(VERNAL_LOG_INFO,
               fmt::format("max_connections is {}, but the process may have {} descriptors open: "
                           "at most {} connections are taken",
                           max_connections_, limit.rlim_cur, available));
  max_connections_ = available;
}

void Listener::listen() {
  const Settings& settings = service_.settings;
  ErrorCode error;
  Tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(settings.host, std::to_string(settings.port), Tcp::resolver::passive, error);
  if (error || found.empty()) throw cannot_listen(settings, error.message());
  const Tcp::endpoint endpoint = *found.begin();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (!error) endpoint_ = acceptor_.local_endpoint(error);
  if (error) throw cannot_listen(settings, error.message());
}

void Listener::run() {
  start_accepting();
  threads_.reserve(service_.settings.threads);
  for (std::uint32_t i = 0; i < service_.settings.threads; ++i) {
    threads_.emplace_back([this] { serve_thread(); });
  }
}

void Listener::serve_thread() noexcept {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      // Out of the library, which had no memory for what it was about to do: that connection ends.
      service_.log(VERNAL_LOG_ERROR, error.what());
    }
    try {
      if (!is_accepting_ && !service_.is_draining) start_accepting();
    } catch (const std::exception&) {
      std::this_thread::sleep_for(kAcceptPause);  // still no memory; the next event tries again
    }
  }
}

void Listener::start_accepting() {
  is_accepting_ = true;
  try {
    net::co_spawn(acceptor_.get_executor(), accept_connections(), [](const std::exception_ptr&) {});
  } catch (...) {
    is_accepting_ = false;
    throw;
  }
}

net::awaitable<void> Listener::accept_connections() {
  const AcceptingEnds ends(is_accepting_);
  net::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    bool is_refused = false;
    try {
      Tcp::socket socket(net::make_strand(io_));
      auto [error] = co_await acceptor_.async_accept(socket, kAwait);
      is_refused = static_cast<bool>(error);
      if (!error) admit(std::move(socket));
    } catch (const std::exception&) {
      is_refused = true;  // no memory for another connection
    }
    if (is_refused && acceptor_.is_open()) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
    }
  }
}

void Listener::admit(Tcp::socket socket) {
  HttpCounters& counters = service_.counters;
  if (counters.open_connections >= max_connections_) {
    turn_away(std::move(socket));
    return;
  }
  const auto session = std::make_shared<Session>(service_, std::move(socket));
  {
    const std::lock_guard lock(mutex_);
    sessions_.insert(session);
  }
  ++counters.connections;
  ++counters.open_connections;
  try {
    net::co_spawn(session->executor(), session->run(),
                  [this, session](const std::exception_ptr&) { forget(session); });
  } catch (...) {
    forget(session);
    throw;
  }
}

void Listener::forget(const std::shared_ptr<Session>& session) {
  --service_.counters.open_connections;
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
  session_ended_.notify_all();
}

void Listener::turn_away(Tcp::socket socket) {
  ++service_.counters.refused_connections;
  if (num_turned_away_ >= kMaxTurnedAway) return;
  ++num_turned_away_;
  auto connection = std::make_shared<Connection>(std::move(socket));
  const auto executor = connection->executor();
  net::co_spawn(executor, answer_at_capacity(std::move(connection)),
                [this](const std::exception_ptr&) {
                  net::post(acceptor_.get_executor(), [this] { --num_turned_away_; });
                });
}

net::awaitable<void> Listener::answer_at_capacity(std::shared_ptr<Connection> connection) {
  const ApiError error = at_capacity("too many connections are open");
  const std::string id = make_id("req_");
  Response response;
  response.status = error.status;
  response.body = render_error(error, Dialect::kOpenAi, id);
  response.headers = {{"Retry-After", std::to_string(error.retry_after_s)},
                      {"x-request-id", id},
                      {"request-id", id}};
  Framing framing;
  framing.keep_alive = false;
  const std::string bytes = render_response(response, framing);
  const TimePoint deadline = Clock::now() + kFarewell;
  co_await connection->write_all(bytes, deadline);
  co_await connection->close_gently();
}

void Listener::close_listener() {
  net::post(acceptor_.get_executor(), [this] {
    ErrorCode ignored;
    acceptor_.close(ignored);
  });
}

void Listener::begin_drain() {
  service_.is_draining = true;
  close_listener();
}

template <class Action>
void Listener::for_each_session(Action action) {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(mutex_);
    sessions.assign(sessions_.begin(), sessions_.end());
  }
  for (const auto& session : sessions) {
    net::post(session->executor(), [session, action] { action(*session); });
  }
}

void Listener::stop() noexcept {
  if (threads_.empty()) return;
  service_.is_draining = true;
  service_.is_stopping = true;
  try {
    close_listener();
    for_each_session([](Session& session) { session.stop(); });
    {
      std::unique_lock lock(mutex_);
      session_ended_.wait_for(lock, kFarewell, [this] { return sessions_.empty(); });
    }
    for_each_session([](Session& session) { session.abort(); });
  } catch (const std::exception&) {
    io_.stop();  // no memory to tell them: all end at once
  }
  work_.reset();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  service_.workers.join();
}

std::string Listener::url() const {
  const auto address = endpoint_.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return fmt::format("http://{}:{}", host, endpoint_.port());
}

}  // namespace vernal::openai_http

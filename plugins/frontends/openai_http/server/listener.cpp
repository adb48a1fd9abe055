#include "openai_http/server/listener.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "openai_http/protocol/identifiers.hpp"

namespace vernal::openai_http {
namespace {

constexpr std::chrono::seconds kFarewell{2};
/// Of the connections above the limit, this many at a time are answered 503. More are closed
/// without an answer.
constexpr std::uint64_t kMaxTurnedAway = 64;
/// Descriptors that the rest of the process needs.
constexpr std::uint64_t kOtherDescriptors = 64;

constexpr auto kIgnoreEnd = [](const std::exception_ptr&) {};

}  // namespace

/// A place among the connections that are counted. Its end gives it up.
class Listener::Place {
 public:
  explicit Place(std::atomic<std::uint64_t>& count) noexcept : count_(&count) { ++count; }
  Place(Place&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (count_ != nullptr) --*count_;
  }

 private:
  std::atomic<std::uint64_t>* count_;
};

/// A session that is served. Its end closes the connection and lets the listener forget the session,
/// also where the library drops the coroutine that owns it. On the session's loop.
class Listener::Admission {
 public:
  Admission(Listener& listener, Place place, std::shared_ptr<Session> session)
      : listener_(&listener), place_(std::move(place)), session_(std::move(session)) {
    const std::lock_guard lock(listener.mutex_);
    listener.sessions_.insert(session_);
  }
  Admission(Admission&& other) noexcept
      : listener_(std::exchange(other.listener_, nullptr)),
        place_(std::move(other.place_)),
        session_(std::move(other.session_)) {}
  Admission& operator=(Admission&&) = delete;
  ~Admission() {
    if (listener_ != nullptr) listener_->forget(session_);
  }

  Session& session() const noexcept { return *session_; }

 private:
  Listener* listener_;
  Place place_;
  std::shared_ptr<Session> session_;
};

Listener::Listener(Settings settings, EngineClient engine, TextClient text)
    : service_(std::move(settings), engine, text),
      max_connections_(service_.settings.max_connections) {
  limit_connections();
  make_loops();
  make_acceptor();
}

Listener::~Listener() {
  stop();
  // What still waits in a loop may refer to the socket of a connection in another one: the first
  // loop, which accepts, ends first.
  acceptor_.reset();
  for (auto& loop : loops_) loop.reset();
}

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

void Listener::make_loops() {
  for (std::size_t i = 0; i < service_.settings.threads; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(
        [this, i](const std::exception& error) { on_loop_error(i, error); }));
  }
}

void Listener::make_acceptor() {
  Acceptor::Hooks hooks;
  hooks.executor = [this] { return loops_[next_loop_++ % loops_.size()]->executor(); };
  hooks.take = [this](Tcp::socket socket) { take(std::move(socket)); };
  acceptor_ = std::make_unique<Acceptor>(*loops_.front(), service_.settings, std::move(hooks));
}

void Listener::run() {
  is_running_ = true;
  acceptor_->start();
  for (const auto& loop : loops_) loop->start();
}

void Listener::on_loop_error(std::size_t loop, const std::exception& error) noexcept {
  const bool is_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  service_.log(VERNAL_LOG_ERROR, is_memory ? "out of memory: a connection is given up"
                                           : std::string_view(error.what()));
  if (loop == 0) acceptor_->revive();
}

void Listener::take(Tcp::socket socket) {
  HttpCounters& counters = service_.counters;
  const bool is_full = counters.open_connections >= max_connections_;
  ++(is_full ? counters.refused_connections : counters.connections);
  if (is_full && num_turned_away_ >= kMaxTurnedAway) return;
  Place place(is_full ? num_turned_away_ : counters.open_connections);
  net::io_context& loop = loop_of(socket.get_executor());
  net::post(loop, [this, is_full, place = std::move(place), socket = std::move(socket)]() mutable {
    if (is_full) {
      turn_away(std::move(place), std::move(socket));
    } else {
      admit(std::move(place), std::move(socket));
    }
  });
}

void Listener::admit(Place place, Tcp::socket socket) {
  auto session = std::make_shared<Session>(service_, std::move(socket));
  const net::any_io_executor executor = session->executor();
  Admission admission(*this, std::move(place), std::move(session));
  net::co_spawn(executor, serve(std::move(admission)), kIgnoreEnd);
}

net::awaitable<void> Listener::serve(Admission admission) { co_await admission.session().run(); }

void Listener::forget(const std::shared_ptr<Session>& session) noexcept {
  session->abort();
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
  session_ended_.notify_all();
}

void Listener::turn_away(Place place, Tcp::socket socket) {
  auto connection = std::make_shared<Connection>(std::move(socket));
  const net::any_io_executor executor = connection->executor();
  net::co_spawn(executor, answer_at_capacity(std::move(connection), std::move(place)), kIgnoreEnd);
}

net::awaitable<void> Listener::answer_at_capacity(std::shared_ptr<Connection> connection,
                                                  Place place) {
  const Place held = std::move(place);
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

void Listener::begin_drain() noexcept {
  service_.is_draining = true;
  acceptor_->close();
}

void Listener::wait_for_sessions() {
  std::unique_lock lock(mutex_);
  session_ended_.wait_for(lock, kFarewell, [this] { return sessions_.empty(); });
}

template <class Action>
void Listener::for_each_session(Action action) {
  const std::lock_guard lock(mutex_);
  for (const auto& session : sessions_) {
    const auto act = [session, action] { action(*session); };
    net::post(session->loop(), net::bind_allocator(in(session->post_memory()), act));
  }
}

void Listener::stop() noexcept {
  if (!is_running_) return;
  is_running_ = false;
  service_.is_stopping = true;
  begin_drain();
  try {
    for_each_session([](Session& session) { session.stop(); });
    wait_for_sessions();
    for_each_session([](Session& session) { session.abort(); });
    wait_for_sessions();
  } catch (const std::exception&) {
    // A session has not done yet what it was told first, and there is no memory to tell it more.
    service_.log(VERNAL_LOG_ERROR, "out of memory: connections are broken off");
  }
  for (const auto& loop : loops_) loop->stop();
  service_.workers.join();
}

std::string Listener::url() const {
  const auto address = acceptor_->endpoint().address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return fmt::format("http://{}:{}", host, port());
}

}  // namespace vernal::openai_http

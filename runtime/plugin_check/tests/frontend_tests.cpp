// Group frontend: a frontend before an engine without a model.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include "plugin/frontend_client.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/mock_engine.hpp"
#include "plugin_check/subject/plugin_under_test.hpp"
#include "plugin_check/subject/process_state.hpp"
#include "plugin_check/test.hpp"

namespace vernal::check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPatienceMs = 2000;  // for a frontend to ask for something

plugin::FrontendInstance create(PluginUnderTest& plugin) {
  return plugin::FrontendInstance(plugin.library().frontend(), "check",
                                  plugin.config(VERNAL_KIND_FRONTEND));
}

double seconds_of(const std::function<void()>& function) {
  const auto begin = Clock::now();
  function();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Sends bytes to an address "http://HOST:PORT" of an info line and waits for the first of the
/// answer. Nothing happens if the line has none, or nobody answers.
void knock(const std::string& info, const std::string& bytes) {
  const std::size_t begin = info.find("http://");
  if (begin == info.npos) return;
  const std::string rest = info.substr(begin + 7);
  const std::size_t colon = rest.find(':');
  if (colon == rest.npos) return;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(rest.c_str() + colon + 1)));
  if (::inet_pton(AF_INET, rest.substr(0, colon).c_str(), &address.sin_addr) != 1) return;
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{2, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    char answer = 0;
    static_cast<void>(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    static_cast<void>(::recv(socket, &answer, 1, 0));
  }
  ::close(socket);
}

/// The question most HTTP frontends understand, after some bytes that none does.
void ask_over_http(const std::string& info) {
  const std::string body =
      "{\"model\":\"mock\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
  knock(info, "\x16\x03\x01 nonsense\r\n\r\n");
  knock(info, fmt::format("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                          "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                          body.size(), body));
}

/// Lets the frontend talk to an engine of that mood until it has nothing more to ask, stops it, and
/// checks what it did.
void talk(const Options& options, Mood mood) {
  mock_engine();
  PluginUnderTest plugin(options);
  mock_engine().set_mood(mood);
  mock_engine().set_console_input("Hello\n");
  const std::uint64_t threads = count_threads();
  {
    plugin::FrontendInstance frontend = create(plugin);
    frontend.start();
    ask_over_http(frontend.info());
    const bool waits = mood != Mood::kSilent;
    const auto limit = Clock::now() + std::chrono::milliseconds(kPatienceMs);
    while (Clock::now() < limit) {
      const bool has_asked = mock_engine().num_asked() > 0;
      if (has_asked && (!waits || mock_engine().num_held() == 0)) break;
      if (mock_engine().console_has_finished()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (mock_engine().num_asked() == 0) {
      note("it asked the engine for nothing: its clients are out of this test's reach");
    }
    const double drained = seconds_of([&] { frontend.begin_drain(100); });
    expect(drained < 1.0, "begin_drain: expected at once, found {:.1f} s", drained);
    frontend.active();
    const double stopped = seconds_of([&] { frontend.stop(); });
    expect(stopped < 10.0, "stop: expected within 10 s, found {:.1f} s", stopped);
  }
  expect(mock_engine().num_held() == 0, "{} of {} requests were never released",
         mock_engine().num_held(), mock_engine().num_submitted());
  expect(mock_engine().violations().empty(), "{}", mock_engine().violations());
  expect(settled_threads(threads) <= threads, "after destroy {} threads still run",
         count_threads() - threads);
}

void test_answers(const Options& options) { talk(options, Mood::kWilling); }
void test_busy(const Options& options) { talk(options, Mood::kBusy); }
void test_failing(const Options& options) { talk(options, Mood::kFailing); }
void test_silent(const Options& options) { talk(options, Mood::kSilent); }

void test_life(const Options& options) {
  mock_engine();
  PluginUnderTest plugin(options);
  for (int i = 0; i < 3; ++i) {
    plugin::FrontendInstance frontend = create(plugin);
    frontend.start();
    expect(!frontend.info().empty(), "info: expected one line, found nothing");
    expect(frontend.info().find('\n') == std::string::npos, "info: expected one line, found more");
    frontend.stop();
  }
  // A frontend that was created and never started.
  create(plugin);
}

/// The optional function of interface 1.1, asked about a table that create and start accept.
void test_check(const Options& options) {
  mock_engine();
  PluginUnderTest plugin(options);
  const vernal_frontend_api& api = plugin.library().frontend();
  const vernal_config_view config = plugin.config(VERNAL_KIND_FRONTEND);
  const std::uint64_t threads = count_threads();
  const std::uint64_t descriptors = count_descriptors();
  for (int i = 0; i < 3; ++i) {
    const std::int32_t status = call("check", [&] { return api.check(config); });
    if (status == VERNAL_UNIMPLEMENTED) {
      note("it offers no check: `vernal check` cannot tell whether its table is sound");
      return;
    }
    expect_status("check of a table that create accepts", VERNAL_OK, status);
  }
  expect(mock_engine().num_asked() == 0, "check asked the engine; no service need be there");
  expect(settled_threads(threads) <= threads, "after check {} threads more run",
         count_threads() - threads);
  expect(count_descriptors() == descriptors, "after check {} descriptors are open, expected {}",
         count_descriptors(), descriptors);
}

constexpr Test kTests[] = {
    {"frontend.life", "created, started and stopped again and again; one line of info", test_life,
     kFrontends},
    {"frontend.check", "accepts the table that create accepts, and keeps nothing", test_check,
     kFrontends},
    {"frontend.answers", "releases every request, no event is asked for afterwards", test_answers,
     kFrontends},
    {"frontend.busy", "an engine that is busy does not stop it", test_busy, kFrontends},
    {"frontend.failing", "requests that fail are released too", test_failing, kFrontends},
    {"frontend.silent", "stop ends what waits for an engine that says nothing", test_silent,
     kFrontends},
};

}  // namespace

std::span<const Test> frontend_tests() { return kTests; }

}  // namespace vernal::check

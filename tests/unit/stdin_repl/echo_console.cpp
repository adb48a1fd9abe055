// A program for tests/integration/console_pty_test.py that needs no model: the console frontend on
// the real standard input and output, with an engine that repeats what it is told.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string_view>

#include "stdin_repl/session.hpp"
#include "unit/stdin_repl/echo_engine.hpp"
#include "unit/stdin_repl/fake_host.hpp"

namespace vernal::stdin_repl {
namespace {

// The core's side of the console: signals come through a descriptor, as they do in `vernal`.
class Console {
 public:
  Console() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    ended_ = ::eventfd(0, EFD_CLOEXEC);
  }
  ~Console() {
    ::close(signals_);
    ::close(ended_);
  }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Serves until the console has finished or a signal ends the process. Returns the exit status.
  int serve() {
    pollfd polled[] = {{signals_, POLLIN, 0}, {ended_, POLLIN, 0}};
    for (;;) {
      ::poll(polled, 2, -1);
      if (polled[1].revents != 0) return has_failed_ ? 1 : 0;
      signalfd_siginfo info{};
      if (::read(signals_, &info, sizeof(info)) != sizeof(info)) continue;
      const std::lock_guard lock(mutex_);
      if (info.ssi_signo != SIGINT || callback_ == nullptr) return 0;
      callback_(user_);
    }
  }

  ConsoleClient client() {
    static constexpr vernal_console_api kApi = {
        sizeof(vernal_console_api), is_terminal, descriptors, write, on_interrupt, finished};
    return {&kApi, reinterpret_cast<vernal_console*>(this)};
  }

 private:
  static Console& self(vernal_console* console) { return *reinterpret_cast<Console*>(console); }

  static std::int32_t is_terminal(vernal_console*, std::uint32_t* input, std::uint32_t* output) {
    *input = ::isatty(STDIN_FILENO) == 1 ? 1 : 0;
    *output = ::isatty(STDOUT_FILENO) == 1 ? 1 : 0;
    return VERNAL_OK;
  }
  static std::int32_t descriptors(vernal_console*, std::int32_t* input, std::int32_t* output) {
    *input = STDIN_FILENO;
    *output = STDOUT_FILENO;
    return VERNAL_OK;
  }
  static std::int32_t write(vernal_console*, vernal_str text) {
    std::string_view rest = view(text);
    while (!rest.empty()) {
      const ssize_t count = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (count < 0) return VERNAL_UNAVAILABLE;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    return VERNAL_OK;
  }
  static std::int32_t on_interrupt(vernal_console* console, void (*callback)(void*), void* user) {
    const std::lock_guard lock(self(console).mutex_);
    self(console).callback_ = callback;
    self(console).user_ = user;
    return VERNAL_OK;
  }
  static std::int32_t finished(vernal_console* console, std::int32_t status) {
    self(console).has_failed_ = status != VERNAL_OK;
    const std::uint64_t one = 1;
    return ::write(self(console).ended_, &one, sizeof(one)) > 0 ? VERNAL_OK : VERNAL_INTERNAL;
  }

  int signals_ = -1;
  int ended_ = -1;
  std::mutex mutex_;
  void (*callback_)(void* user) = nullptr;
  void* user_ = nullptr;
  std::atomic<bool> has_failed_ = false;  // before ended_
};

}  // namespace
}  // namespace vernal::stdin_repl

int main() {
  using namespace vernal::stdin_repl;
  Console console;
  EchoEngine engine;
  Session session({}, engine.client(), console.client());
  session.start();
  const int status = console.serve();
  session.stop();
  for (const LogLine& line : take_log()) std::fprintf(stderr, "%s\n", line.text.c_str());
  return status;
}

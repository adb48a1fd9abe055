#include "serving/control_signals.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "vernal/error.hpp"

namespace vernal {
namespace {

int require(int descriptor, const char* what) {
  if (descriptor < 0)
    throw Error(VERNAL_INTERNAL, fmt::format("{}: {}", what, std::strerror(errno)));
  return descriptor;
}

}  // namespace

ControlSignals::ControlSignals() {
  struct sigaction hang_up {};
  ignores_hang_up_ = ::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler == SIG_IGN;
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = require(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
  finished_ = require(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
}

ControlSignals::~ControlSignals() {
  ::close(signals_);
  ::close(finished_);
}

std::optional<ControlEvent> ControlSignals::wait(std::chrono::milliseconds timeout) {
  pollfd polled[] = {{signals_, POLLIN, 0}, {finished_, POLLIN, 0}};
  if (::poll(polled, 2, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) return ControlEvent::kHangUp;
    return info.ssi_signo == SIGINT ? ControlEvent::kInterrupt : ControlEvent::kTerminate;
  }
  std::uint64_t count = 0;
  if (::read(finished_, &count, sizeof(count)) == sizeof(count))
    return ControlEvent::kConsoleFinished;
  return std::nullopt;
}

void ControlSignals::console_finished() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(finished_, &one, sizeof(one));
}

}  // namespace vernal

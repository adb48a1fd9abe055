// What the control thread waits for while the process serves: signals and words from its own
// threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vernal {

enum class ControlEvent { kTerminate, kInterrupt, kConsoleFinished };

/// Blocks SIGTERM, SIGINT and SIGHUP for the calling thread and those it starts, ignores SIGPIPE,
/// and gives them out as values. Make it first in main, before any thread.
class ControlSignals {
 public:
  ControlSignals();
  ~ControlSignals();
  ControlSignals(const ControlSignals&) = delete;
  ControlSignals& operator=(const ControlSignals&) = delete;

  /// The next event; nothing after `timeout`. Control thread.
  std::optional<ControlEvent> wait(std::chrono::milliseconds timeout);
  /// Any thread: the next wait returns kConsoleFinished.
  void console_finished() noexcept;

 private:
  int signals_ = -1;   // signalfd
  int finished_ = -1;  // eventfd
};

}  // namespace vernal

// What the control thread waits for while the process serves: signals and words from its own
// threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vernal {

enum class ControlEvent {
  kTerminate,        ///< SIGTERM
  kInterrupt,        ///< SIGINT, Ctrl-C
  kHangUp,           ///< SIGHUP: the terminal closed, or an operator asks for a reload
  kConsoleFinished,  ///< console_finished() was called
};

/// Blocks SIGTERM, SIGINT and SIGHUP for the calling thread and those it starts, ignores SIGPIPE,
/// and gives them out as values. A SIGHUP that was ignored before (nohup) is given out too. Make it
/// first in main, before any thread.
class ControlSignals {
 public:
  ControlSignals();
  ~ControlSignals();
  ControlSignals(const ControlSignals&) = delete;
  ControlSignals& operator=(const ControlSignals&) = delete;

  /// The next event; nothing after `timeout`. Control thread.
  std::optional<ControlEvent> wait(std::chrono::milliseconds timeout);
  /// Whether SIGHUP was ignored when the process started, as under nohup: it then ends nothing.
  bool ignores_hang_up() const noexcept { return ignores_hang_up_; }
  /// Any thread: the next wait returns kConsoleFinished.
  void console_finished() noexcept;

 private:
  bool ignores_hang_up_ = false;
  int signals_ = -1;   // signalfd
  int finished_ = -1;  // eventfd
};

}  // namespace vernal

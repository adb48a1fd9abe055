// What the control thread waits for while the process serves: signals, and the end of a console.
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

/// Turns SIGTERM, SIGINT and SIGHUP into values. Blocks them for the calling thread and for the
/// threads it starts later, so it is made first in main. SIGPIPE is ignored. A SIGHUP that was
/// ignored before, as under nohup, becomes a value too.
class ControlSignals {
 public:
  ControlSignals();
  ~ControlSignals();
  ControlSignals(const ControlSignals&) = delete;
  ControlSignals& operator=(const ControlSignals&) = delete;

  /// Waits for the next event. Nothing: none came within `timeout`. Control thread.
  std::optional<ControlEvent> wait(std::chrono::milliseconds timeout);
  /// Whether SIGHUP was ignored when the process started, as under nohup. It then ends nothing.
  bool ignores_hang_up() const noexcept { return ignores_hang_up_; }
  /// Makes the next wait return kConsoleFinished. Any thread.
  void console_finished() noexcept;

 private:
  bool ignores_hang_up_ = false;
  int signals_ = -1;   // signalfd
  int finished_ = -1;  // eventfd
};

}  // namespace vernal

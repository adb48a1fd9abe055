// The console service: how a frontend talks to the terminal.
#pragma once

#include <atomic>
#include <mutex>

#include "serving/control_signals.hpp"
#include "vernal/abi/frontend.h"

namespace vernal {

/// Implements vernal_console_api with standard input and output. Outlives the frontends.
class ConsoleService {
 public:
  explicit ConsoleService(ControlSignals& signals) : signals_(signals) {}
  ConsoleService(const ConsoleService&) = delete;
  ConsoleService& operator=(const ConsoleService&) = delete;

  static const vernal_console_api* api() noexcept;

  /// Tells the console that Ctrl-C was pressed. False if the console takes no interrupts. Control
  /// thread.
  bool interrupt();
  /// Whether the console ended with a failure. Any thread.
  bool has_failed() const noexcept { return has_failed_; }

 private:
  friend struct ConsoleFunctions;

  ControlSignals& signals_;
  std::atomic<bool> has_failed_ = false;
  std::mutex mutex_;  // guards the callback, and is held while it runs
  void (*on_interrupt_)(void* user) = nullptr;
  void* user_ = nullptr;
};

}  // namespace vernal

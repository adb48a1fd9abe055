// Wakes the console's thread while it waits: for an interrupt, events of a request, or the end of
// the process.
#pragma once

#include <atomic>

namespace vernal::stdin_repl {

/// A descriptor that becomes readable when another thread gives a signal, and the signals. The
/// console's thread waits for it and for the keyboard together. A signal is kept until it is taken.
class Attention {
 public:
  /// Errors   RESOURCE_EXHAUSTED: the system gives no descriptor
  Attention();
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // These may be called on any thread. They never block.

  /// Ctrl-C was pressed.
  void interrupt() noexcept;
  /// The request may have events.
  void notify() noexcept;
  /// Take no further prompt. An answer in progress goes on.
  void begin_drain() noexcept;
  /// End now. It includes begin_drain.
  void stop() noexcept;
  bool is_draining() const noexcept { return is_draining_; }
  bool is_stopping() const noexcept { return is_stopping_; }

  // These are for the console's thread only.

  /// Becomes readable with each of the signals above, until clear().
  int descriptor() const noexcept { return descriptor_; }
  /// Makes the descriptor unreadable. Look at the signals after this call, not before.
  void clear() noexcept;
  /// Blocks until the descriptor is readable, and clears it.
  void wait() noexcept;
  /// Whether interrupt() was called since the last take_interrupt().
  bool take_interrupt() noexcept { return is_interrupted_.exchange(false); }

 private:
  int descriptor_;
  std::atomic<bool> is_interrupted_ = false;
  std::atomic<bool> is_draining_ = false;
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace vernal::stdin_repl

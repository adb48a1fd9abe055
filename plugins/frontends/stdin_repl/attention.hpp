// What may call the console's thread away from what it waits for: an interrupt, events of a
// request, the end of the process.
#pragma once

#include <atomic>

namespace vernal::stdin_repl {

/// A descriptor that becomes readable when another thread has something to say, and what it said.
/// The console's thread waits for it beside the keyboard. Words are remembered until taken.
class Attention {
 public:
  /// Throws Error(RESOURCE_EXHAUSTED) without a descriptor.
  Attention();
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // Any thread; never block.

  /// Ctrl-C.
  void interrupt() noexcept;
  /// Events of the request may be there.
  void notify() noexcept;
  /// No further prompt; the answer in progress goes on.
  void begin_drain() noexcept;
  /// End now. Implies begin_drain.
  void stop() noexcept;
  bool is_draining() const noexcept { return is_draining_; }
  bool is_stopping() const noexcept { return is_stopping_; }

  // The console's thread.

  /// Readable from any of the words above until clear().
  int descriptor() const noexcept { return descriptor_; }
  /// Makes the descriptor unreadable. Look at the words after it, not before.
  void clear() noexcept;
  /// Blocks until the descriptor is readable, and clears it.
  void wait() noexcept;
  /// Whether interrupt() was called since the last take.
  bool take_interrupt() noexcept { return is_interrupted_.exchange(false); }

 private:
  int descriptor_;
  std::atomic<bool> is_interrupted_ = false;
  std::atomic<bool> is_draining_ = false;
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace vernal::stdin_repl

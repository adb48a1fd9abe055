// Stacks that take turns on one thread of the host.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <boost/context/fiber.hpp>

#include "emulator/sanitizers.hpp"

namespace vernal::cuda_sm86::emulator {

/// A stack, and where it goes on.
class Fiber {
 public:
  /// What a fiber runs. Never returns; goes over to other fibers instead.
  using Work = void (*)(Fiber& self);

  /// The stack that runs now.
  Fiber() = default;
  /// Borrows `stack`. Runs `work` when it gets its first turn.
  Fiber(std::span<std::byte> stack, Work work);

  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Stops `from`, which runs, and goes on with `to`. Returns when `from` gets a turn again.
  static void go(Fiber& from, Fiber& to);

 private:
  // Called on a stack that gets its turn; `previous` is where the last one stopped.
  void arrive(boost::context::fiber&& previous);

  SanitizedStack sanitized_;
  boost::context::fiber rest_;  // empty while it runs
};

/// Fibers with stacks of their own, made as needed and kept. A page below each stack belongs to
/// nobody, so that an overflow ends the process instead of overwriting another stack.
class FiberPool {
 public:
  static constexpr std::size_t kStackBytes = kAddressSanitizer ? 512 * 1024 : 128 * 1024;

  FiberPool(std::size_t most, Fiber::Work work);

  /// A fiber that waits for work. There must be one.
  Fiber& take();
  /// Takes back a fiber that has nothing to go on with.
  void put(Fiber& fiber) { idle_.push_back(&fiber); }

  /// Whether `at` lies in a page that an overflowing stack would touch first.
  bool is_guard(const void* at) const;

 private:
  std::byte* reservation_;
  std::size_t most_;
  Fiber::Work work_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;  // the last one is the next
};

}  // namespace vernal::cuda_sm86::emulator

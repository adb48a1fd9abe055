// The threads of the block that runs. Each is a fiber, and one runs at a time, until it waits.
//
// Blocks run one after another. Threads that never wait share a fiber, so that they cost no more
// than a call. A thread that waits chooses the one that goes on, as the schedule says. If none can,
// and some have not ended, the kernel has a fault: the threads wait for each other.
//
// Thread  one launch at a time, under the mutex of the device
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "emulator/fault.hpp"
#include "emulator/fiber.hpp"
#include "emulator/launch.hpp"
#include "emulator/memory/copies.hpp"
#include "emulator/memory/shared_memory.hpp"
#include "emulator/schedule.hpp"

namespace vernal::cuda_sm86::emulator {

struct Warp;

/// Something that the lanes of a mask do together, as soon as all of them have called it.
struct WarpOperation {
  const char* name;                           ///< of the function that kernels call
  void (*finish)(Warp& warp, unsigned mask);  ///< computes what each lane gets
};

/// What a thread waits for.
struct Wait {
  const WarpOperation* operation = nullptr;  ///< null: the barrier of the block
  unsigned mask = 0;
  Place place;
};

/// What the lanes of a matrix product hand over. All of it lies on their stacks.
struct MatrixOperands {
  void* d = nullptr;
  const std::uint32_t* a = nullptr;
  const std::uint32_t* b = nullptr;
};

struct Warp {
  unsigned lanes = 0;       ///< which lanes there are
  unsigned waiting = 0;     ///< which wait for a warp operation
  unsigned at_barrier = 0;  ///< which wait for the block
  unsigned ended = 0;
  // By lane. A lane writes its own when it begins to wait, and reads its result when it goes on.
  std::array<Wait, kLanes> waits;
  std::array<std::uint32_t, kLanes> values = {};
  std::array<std::uint8_t, kLanes> sources = {};  ///< which lane's value each one gets
  std::array<std::uint32_t, kLanes> results = {};
  std::array<MatrixOperands, kLanes> operands;
};

struct Thread {
  uint3 index = {};
  unsigned number = 0;     ///< in the block; a warp is 32 in sequence
  Fiber* fiber = nullptr;  ///< while it has begun and not ended
  PendingCopies copies;
};

class BlockRunner {
 public:
  BlockRunner();

  /// Runs all blocks of a launch.
  /// Throws  Fault; the launch is then over
  void run(const Launch& launch, const Schedule& schedule);

  // ---- for the functions that kernels call

  Thread& thread() { return *running_; }
  Warp& warp() { return warps_[running_->number / kLanes]; }
  unsigned lane() const { return running_->number % kLanes; }
  SharedMemory& shared_memory() { return shared_memory_; }

  /// Waits until all lanes of `mask` have called the same operation at the same place. The last one
  /// to come finishes it for all.
  void wait_for_warp(const WarpOperation& operation, unsigned mask, const Place& place);
  void wait_for_block(const Place& place);

  /// Ends the launch. `what` is a sentence about the running thread.
  [[noreturn]] void fail(const std::string& what, const Place& place);

  // ---- for reports

  bool is_running() const { return launch_ != nullptr && running_ != nullptr; }
  /// A sentence that begins with the running thread and goes on with `what`, and where that is.
  std::string about_running(const std::string& what) const;
  bool is_stack_guard(const void* at) const { return fibers_.is_guard(at); }

 private:
  struct Abandoned {};  // unwinds a thread of a launch that has failed

  static void work(Fiber& self);
  void run_block(std::uint64_t number);
  void run_thread();
  void end_thread();
  void unwind();

  Thread* choose();
  void set_running(Thread& thread);
  void go_on(Fiber& from, Thread* next);
  void pause();
  void release_block();
  bool lanes_together(const Warp& warp, unsigned mask) const;

  std::string deadlock_text() const;
  std::string thread_text() const;
  std::string block_text() const;

  FiberPool fibers_;
  SharedMemory shared_memory_;
  std::vector<Thread> threads_;
  std::array<Warp, kMostWarps> warps_;
  ReadyLanes ready_ = {};

  // of the launch
  const Launch* launch_ = nullptr;
  Schedule schedule_;
  Turns* turns_ = nullptr;
  unsigned num_threads_ = 0;
  unsigned num_warps_ = 0;

  // of the block
  Fiber* main_ = nullptr;
  Thread* running_ = nullptr;
  unsigned num_ended_ = 0;
  unsigned num_at_barrier_ = 0;
  Place barrier_place_;
  std::string fault_;  // empty: none
};

/// The one that runs kernels.
BlockRunner& block_runner();

}  // namespace vernal::cuda_sm86::emulator

// The threads and the instruction set of an instance, which its programs share.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>

#include "kernels/instruction_set.hpp"
#include "thread_pool.hpp"

namespace vernal::cpu_avx2 {

/// A lock that threads get in the order they asked for it. While a model loads in many short
/// regions, the steps of other models get their turn in between. Any thread.
class FairTurn {
 public:
  void lock() {
    std::unique_lock guard(mutex_);
    const std::uint64_t mine = next_++;
    changed_.wait(guard, [&] { return serving_ == mine; });
  }
  void unlock() {
    {
      const std::scoped_lock guard(mutex_);
      ++serving_;
    }
    changed_.notify_all();
  }
  /// How many threads wait for the lock.
  std::uint64_t num_waiting() const {
    const std::scoped_lock guard(mutex_);
    return next_ - serving_ - (next_ != serving_ ? 1 : 0);
  }

 private:
  mutable std::mutex mutex_;  // guards the next two
  std::condition_variable changed_;
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
};

/// Programs take turns: one region of one program runs at a time.
struct Instance {
  Instance(std::int32_t num_threads, std::span<const std::int64_t> cpus, InstructionSet set)
      : instruction_set(set), threads(num_threads, cpus) {}

  const InstructionSet instruction_set;  ///< that kernels use
  ThreadPool threads;
  FairTurn turn;  ///< held while `threads` runs something
};

}  // namespace vernal::cpu_avx2

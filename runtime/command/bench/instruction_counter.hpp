// Counts instructions, where the system lets a process count its own.
#pragma once

#include <cstdint>
#include <vector>

namespace vernal {

/// What the threads of this process do in user space, counted by the processor: of those that it has
/// when the counter is made, and of those that they start. One thread uses it at a time.
class InstructionCounter {
 public:
  /// An event of perf_event_open(2).
  struct Event {
    std::uint32_t type;
    std::uint64_t config;
  };
  /// Instructions that are retired.
  static Event instructions();

  /// Where the system refuses (a virtual machine without counters, kernel.perf_event_paranoid), the
  /// counter counts nothing.
  explicit InstructionCounter(Event event = instructions());
  ~InstructionCounter();
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  bool counts() const { return !files_.empty(); }
  /// So far, of all threads; of a counter that had to share the processor's with others, an estimate of
  /// what it would have been, which may fall. 0 if it does not count.
  double value() const;

 private:
  void close_all() noexcept;

  std::vector<int> files_;  // one for each thread
};

}  // namespace vernal

// Counts the work and the memory of one rendering, and stops it at its limits.
#pragma once

#include <chrono>
#include <cstdint>

#include "text/jinja/limits.hpp"

namespace vernal::jinja {

/// The work and memory of one rendering. One thread.
class Budget {
 public:
  explicit Budget(const RenderLimits& limits);

  const RenderLimits& limits() const noexcept { return limits_; }

  /// Counts `count` steps. Throws Fault(kLimit) if the steps or the time are used up.
  void step(std::uint64_t count = 1) {
    steps_ += count;
    if (steps_ >= next_check_) {
      check();
    }
  }

  /// Counts an operation that reads or writes `bytes` bytes of text.
  void read_bytes(std::uint64_t bytes) {
    pending_bytes_ += bytes;
    if (pending_bytes_ >= kBytesPerStep) {
      step(pending_bytes_ / kBytesPerStep);
      pending_bytes_ %= kBytesPerStep;
    }
  }

  /// Counts an operation over `count` elements.
  void read_elements(std::uint64_t count) { step(count / kElementsPerStep); }

  /// Takes `bytes` of heap. To be called before they are allocated. If fewer are left, it takes
  /// none and throws Fault(kLimit).
  void charge(std::uint64_t bytes);

  /// Gives back bytes that were charged.
  void release(std::uint64_t bytes) noexcept { heap_bytes_ -= bytes; }

  /// Ends the first phase, in which the caller's inputs become values. That phase has no limit of
  /// heap. The heap that is held now, and the steps made until now, do not count against the
  /// template.
  void exempt_inputs() noexcept {
    exempt_bytes_ = heap_bytes_;
    is_heap_limited_ = true;
    steps_ = 0;
    next_check_ = 0;
  }

  std::uint64_t steps() const noexcept { return steps_; }

 private:
  static constexpr std::uint64_t kBytesPerStep = 256;
  static constexpr std::uint64_t kElementsPerStep = 8;
  static constexpr std::uint64_t kStepsPerTimeCheck = 1024;

  void check();

  RenderLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t steps_ = 0;
  std::uint64_t next_check_ = 0;
  std::uint64_t pending_bytes_ = 0;  // were read; too few to count as a step
  std::uint64_t heap_bytes_ = 0;
  std::uint64_t exempt_bytes_ = 0;
  bool is_heap_limited_ = false;
};

}  // namespace vernal::jinja

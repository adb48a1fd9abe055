// Lets one allocation of a test program fail: operator new, and the aligned_alloc of Boost.Asio, throw or return null once.
// Programs that link vernal_test_failing_new only; there, sanitizers see allocations as always.
#pragma once

#include <cstdint>

namespace vernal::test {

/// How many Spared live on this thread.
inline thread_local int num_spared = 0;

/// Allocations of this thread do not count while it lives: those of the test itself.
class Spared {
 public:
  Spared() noexcept { ++num_spared; }
  Spared(const Spared&) = delete;
  Spared& operator=(const Spared&) = delete;
  ~Spared() { --num_spared; }
};

/// While it lives, the allocation with this number fails, counted from 1 over all threads. One at a
/// time.
class FailingNew {
 public:
  explicit FailingNew(std::uint64_t number) noexcept;
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  ~FailingNew();

  /// Whether there were so many allocations.
  bool has_failed() const noexcept;

 private:
  const std::uint64_t number_;
};

}  // namespace vernal::test

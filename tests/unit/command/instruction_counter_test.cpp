#include "command/bench/instruction_counter.hpp"

#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace vernal {
namespace {

/// Nanoseconds that threads run: an event that needs no counter of the processor.
constexpr InstructionCounter::Event kTaskClock{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK};
constexpr double kMillisecond = 1e6;

void work_for(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(InstructionCounter, CountsThreadsThatWereThereAndThatAreStarted) {
  std::atomic<bool> may_begin = false;
  std::jthread earlier([&] {
    may_begin.wait(false);
    work_for(std::chrono::milliseconds(20));
  });
  const InstructionCounter counter(kTaskClock);
  if (!counter.counts()) {  // a system that lets nobody count
    EXPECT_EQ(counter.value(), 0);
    return;
  }
  const double before = counter.value();
  may_begin = true;
  may_begin.notify_one();
  earlier.join();
  const double behind_earlier = counter.value();
  std::jthread later([] { work_for(std::chrono::milliseconds(20)); });
  later.join();
  // Other work on the machine may leave a thread less time than has passed, but hardly none.
  EXPECT_GT(behind_earlier, before + kMillisecond);
  EXPECT_GT(counter.value(), behind_earlier + kMillisecond);
}

TEST(InstructionCounter, CountsMoreInstructionsForMoreWork) {
  const InstructionCounter counter;
  if (!counter.counts()) {  // a virtual machine without counters
    EXPECT_EQ(counter.value(), 0);
    return;
  }
  const auto instructions_of = [&](int rounds) {
    const double before = counter.value();
    volatile int left = rounds;
    while (left > 0) left = left - 1;
    return counter.value() - before;
  };
  constexpr int kRounds = 1'000'000;
  const double few = instructions_of(kRounds);
  EXPECT_GE(few, 2 * kRounds);
  EXPECT_GT(instructions_of(4 * kRounds), 2 * few);
}

TEST(InstructionCounter, CountsNothingOfAnEventThatIsNone) {
  const InstructionCounter counter({PERF_TYPE_SOFTWARE, 1U << 20U});
  EXPECT_FALSE(counter.counts());
  EXPECT_EQ(counter.value(), 0);
}

}  // namespace
}  // namespace vernal

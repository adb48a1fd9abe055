#include "engine/request/event_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace vernal {
namespace {

using std::chrono::milliseconds;

Event event_of(std::uint32_t type, std::size_t num_tokens = 0) {
  Event event;
  event.type = type;
  event.tokens.resize(num_tokens);
  return event;
}

struct Counters {
  std::atomic<int> ready{0};
  std::atomic<int> drained{0};
};

EventLimits limits(std::size_t max_tokens) { return {max_tokens, std::size_t{1} << 20U}; }

TEST(EventQueue, CallsOnReadyOnceUntilTheQueueWasSeenEmpty) {
  Counters counters;
  EventQueue queue(
      limits(10), [&] { ++counters.ready; }, [] {});
  queue.push(event_of(VERNAL_EVENT_ACCEPTED));
  queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_EQ(counters.ready, 1);
  EXPECT_EQ(queue.pop()->type, VERNAL_EVENT_ACCEPTED);
  queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_EQ(counters.ready, 1);
  EXPECT_TRUE(queue.pop() && queue.pop() && !queue.pop());
  queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_EQ(counters.ready, 2);
}

TEST(EventQueue, LetsExactlyOneTerminalEventPass) {
  EventQueue queue(limits(10), {}, [] {});
  EXPECT_TRUE(queue.finish(event_of(VERNAL_EVENT_ERROR)));
  EXPECT_FALSE(queue.finish(event_of(VERNAL_EVENT_FINISHED)));
  queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_EQ(queue.pop()->type, VERNAL_EVENT_ERROR);
  EXPECT_FALSE(queue.pop());
}

TEST(EventQueue, ReportsFullByTokensAndTellsWhenHalfEmpty) {
  Counters counters;
  EventQueue queue(limits(4), {}, [&] { ++counters.drained; });
  for (int i = 0; i < 3; ++i) queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_FALSE(queue.full_since());
  queue.push(event_of(VERNAL_EVENT_DELTA, 1));
  EXPECT_TRUE(queue.full_since());
  queue.pop();
  EXPECT_TRUE(queue.full_since());
  EXPECT_EQ(counters.drained, 0);
  queue.pop();
  EXPECT_FALSE(queue.full_since());
  EXPECT_EQ(counters.drained, 1);
}

TEST(EventQueue, ReportsFullByBytes) {
  EventQueue queue({1000, 4096}, {}, [] {});
  Event event = event_of(VERNAL_EVENT_DELTA);
  event.text.assign(5000, 'x');
  queue.push(event);
  EXPECT_TRUE(queue.full_since());
  queue.pop();
  EXPECT_FALSE(queue.full_since());
}

TEST(EventQueue, ReplacesProgressThatNobodyRead) {
  EventQueue queue(limits(10), {}, [] {});
  for (std::uint64_t done = 1; done <= 3; ++done) {
    Event progress = event_of(VERNAL_EVENT_PROGRESS);
    progress.done = done;
    queue.push(progress);
  }
  EXPECT_EQ(queue.pop()->done, 3U);
  EXPECT_FALSE(queue.pop());
}

TEST(EventQueue, WaitsForAnEventOrTheTimeout) {
  EventQueue queue(limits(10), {}, [] {});
  EXPECT_FALSE(queue.wait_pop(milliseconds(1)));
  std::thread producer([&] { queue.push(event_of(VERNAL_EVENT_STARTED)); });
  EXPECT_TRUE(queue.wait_pop(milliseconds(10'000)));
  producer.join();
}

TEST(EventQueue, RunsNoCallbackAfterClose) {
  for (int round = 0; round < 200; ++round) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    EventQueue queue(
        limits(1000), [&] { ++*alive; }, [] {});
    std::thread producer([&] {
      for (int i = 0; i < 50; ++i) {
        queue.push(event_of(VERNAL_EVENT_DELTA, 1));
        while (queue.pop()) {
        }
      }
    });
    queue.close();
    alive.reset();  // a callback now would touch freed memory
    producer.join();
    EXPECT_TRUE(queue.finish(event_of(VERNAL_EVENT_ERROR)));
    EXPECT_FALSE(queue.pop());
  }
}

}  // namespace
}  // namespace vernal

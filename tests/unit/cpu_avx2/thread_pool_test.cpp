#include "thread_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <mutex>
#include <thread>

#include "instance.hpp"

#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {
namespace {

TEST(ThreadPool, RunsTheBodyOnceOnEveryWorker) {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    std::array<std::atomic<int>, 3> runs{};
    pool.run([&](Worker& worker) {
      EXPECT_EQ(worker.num_workers(), 3);
      ++runs[static_cast<std::size_t>(worker.index())];
    });
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST(ThreadPool, HandsOutEveryPieceOfARangeOnce) {
  ThreadPool pool(2);
  for (const std::int64_t count : {0, 1, 7, 64, 1001}) {
    std::vector<int> hits(static_cast<std::size_t>(count));
    pool.run([&](Worker& worker) {
      worker.parallel_for(count, 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) ++hits[static_cast<std::size_t>(i)];
      });
    });
    for (const int hit : hits) EXPECT_EQ(hit, 1);
  }
}

TEST(ThreadPool, SharesOutEveryPieceOfARangeOnce) {
  for (const std::int32_t threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 7, 64, 1001}) {
      for (const std::int64_t chunk : {1, 8, 100}) {
        std::vector<std::atomic<int>> hits(static_cast<std::size_t>(count));
        pool.run([&](Worker& worker) {
          for (int loop = 0; loop < 20; ++loop) {
            worker.parallel_shares(count, chunk, [&](std::int64_t first, std::int64_t last) {
              EXPECT_EQ(first % chunk, 0);
              for (std::int64_t i = first; i < last; ++i) ++hits[static_cast<std::size_t>(i)];
            });
            if (loop % 7 == 0) worker.barrier();
          }
        });
        for (const auto& hit : hits) ASSERT_EQ(hit.load(), 20);
      }
    }
  }
}

TEST(ThreadPool, HelpsWhoIsLate) {
  ThreadPool pool(2);
  std::atomic<int> of_second{0};
  std::atomic<bool> all_done{false};
  pool.run([&](Worker& worker) {
    // Worker 1 comes only when worker 0 has done everything, its share included.
    while (worker.index() == 1 && !all_done.load()) std::this_thread::yield();
    worker.parallel_shares(64, 1,
                           [&](std::int64_t first, std::int64_t) { of_second += first >= 32; });
    all_done = true;
  });
  EXPECT_EQ(of_second.load(), 32);
}

TEST(ThreadPool, ShowsWritesBehindABarrier) {
  ThreadPool pool(4);
  std::vector<std::int64_t> values(1000);
  std::vector<std::int64_t> sums(1000);
  pool.run([&](Worker& worker) {
    for (std::int64_t round = 1; round <= 50; ++round) {
      worker.parallel_for(1000, 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) values[static_cast<std::size_t>(i)] = round * i;
      });
      worker.barrier();
      worker.parallel_for(1000, 7, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          sums[static_cast<std::size_t>(i)] += values[static_cast<std::size_t>(999 - i)];
        }
      });
      worker.barrier();
    }
  });
  for (std::int64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(sums[static_cast<std::size_t>(i)], (999 - i) * 50 * 51 / 2);
  }
}

TEST(ThreadPool, WorksWithOneThread) {
  ThreadPool pool(1);
  std::int64_t sum = 0;
  pool.run([&](Worker& worker) {
    worker.parallel_for(10, 3, [&](std::int64_t first, std::int64_t last) { sum += last - first; });
    worker.barrier();
  });
  EXPECT_EQ(sum, 10);
}

TEST(ThreadPool, RefusesLessThanOneThread) { EXPECT_THROW(ThreadPool(0), Error); }

TEST(ThreadPool, AcceptsCpusThatDoNotExist) {
  const std::array<std::int64_t, 2> cpus{0, 1 << 20};
  ThreadPool pool(3, cpus);
  std::atomic<int> runs{0};
  pool.run([&](Worker&) { ++runs; });
  EXPECT_EQ(runs.load(), 3);
}

TEST(FairTurn, GoesToWhoWaitsBeforeItsHolderHasItAgain) {
  FairTurn turn;
  for (int round = 0; round < 100; ++round) {
    bool was_in = false;  // written and read under the turn alone
    turn.lock();
    std::thread step([&] {
      const std::scoped_lock lock(turn);
      was_in = true;
    });
    while (turn.num_waiting() == 0) std::this_thread::yield();
    turn.unlock();
    turn.lock();  // the next piece of a load
    EXPECT_TRUE(was_in) << "round " << round;
    turn.unlock();
    step.join();
  }
}

TEST(ThreadPool, UsesNoProcessorTimeWhenIdle) {
  ThreadPool pool(4);
  pool.run([](Worker&) {});
  timespec before{};
  timespec after{};
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
  const double used = static_cast<double>(after.tv_sec - before.tv_sec) +
                      1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
  EXPECT_LT(used, 0.003);  // 1 % of a core
}

}  // namespace
}  // namespace vernal::cpu_avx2

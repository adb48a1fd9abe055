// Threads of one backend instance and the regions they run together.
//
// A region is one function that every worker runs from start to end ("single program, multiple
// data"). Inside it, parallel_for hands out pieces of a range and barrier lets everybody catch up,
// so the many operations of a step cost one wake-up in all. Waiting means spinning for at most 50
// microseconds and then sleeping: fast inside a step, free between steps.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

namespace vernal::cpu_avx2 {

class ThreadPool;

/// A worker's view of the region it runs. All workers must make the same calls in the same order.
class Worker {
 public:
  std::int32_t index() const { return index_; }  ///< 0 is the thread that called run()
  std::int32_t num_workers() const;

  /// Calls body(first, last) for pieces of [0, count) of at most `chunk`, each on some worker.
  /// Returns when there is nothing left to claim; other workers may still be at it.
  template <class Body>
  void parallel_for(std::int64_t count, std::int64_t chunk, Body&& body);

  /// parallel_for() over what is read from memory in order: every worker has a share of neighbouring
  /// pieces and goes through it from front to back, so that what the processor reads ahead is its
  /// own; who has finished helps those next to it. Pieces begin at multiples of `chunk`.
  template <class Body>
  void parallel_shares(std::int64_t count, std::int64_t chunk, Body&& body);

  /// Returns when every worker has arrived. What they wrote before is visible afterwards.
  void barrier();

 private:
  friend class ThreadPool;
  Worker(ThreadPool& pool, std::int32_t index) : pool_(&pool), index_(index) {}

  /// Others whose share a worker looks at when it has finished its own: every look costs a transfer
  /// between cores, and each share is finished by its owner in any case.
  static constexpr std::int32_t kHelped = 4;

  /// Claims pieces [next, last) of `chunk` each, up to `count`, until there are none.
  template <class Body>
  static void claim(std::atomic<std::int64_t>& next, std::int64_t last, std::int64_t count,
                    std::int64_t chunk, Body&& body);

  ThreadPool* pool_;
  std::int32_t index_;
  std::uint32_t loops_ = 0;  // parallel_for calls in this region
};

/// A fixed set of workers. The thread that calls run() is worker 0, the others belong to the pool
/// and end in its destructor. One run() at a time.
class ThreadPool {
 public:
  /// Starts num_threads - 1 threads. Worker i, from 1 on, is bound to cpus[i % size] if there are
  /// any. A binding that the system refuses is left out. Worker 0 is never bound: it is the
  /// caller's thread.
  /// Errors  RESOURCE_EXHAUSTED: the system gives no more threads;
  ///         INVALID_ARGUMENT: num_threads < 1
  explicit ThreadPool(std::int32_t num_threads, std::span<const std::int64_t> cpus = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::int32_t num_threads() const { return num_threads_; }

  /// Runs body(worker) on every worker and returns when all are done. The body must not throw: an
  /// exception would leave the others at a barrier for ever, so it ends the process.
  template <class Body>
  void run(Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    region_.call = [](void* user, Worker& worker) noexcept {
      (*static_cast<Plain*>(user))(worker);
    };
    region_.user = const_cast<std::remove_const_t<Plain>*>(&body);
    run_region();
  }

 private:
  friend class Worker;

  struct Region {
    void (*call)(void* user, Worker& worker) noexcept = nullptr;
    void* user = nullptr;
  };

  /// Loops between two barriers; more would share a counter.
  static constexpr std::uint32_t kCounters = 16;

  /// The counter of a worker's share in a loop; that of worker 0 serves loops without shares.
  std::atomic<std::int64_t>& counter(std::uint32_t loop, std::int32_t worker) {
    const std::size_t row = loop % kCounters;
    return counters_[row * static_cast<std::size_t>(num_threads_) +
                     static_cast<std::size_t>(worker)]
        .next;
  }

  /// A number on a cache line of its own, so that workers who claim do not disturb those who wait.
  struct alignas(64) Counter {
    std::atomic<std::int64_t> next{0};
  };

  void run_region();
  void work(std::int32_t index);
  void arrive(std::uint32_t loops);
  void stop();

  std::int32_t num_threads_;
  Region region_;
  std::vector<Counter> counters_;  // [kCounters][num_threads]
  alignas(64) std::atomic<std::int32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> generation_{0};  // barriers passed
  alignas(64) std::atomic<std::uint32_t> epoch_{0};       // regions started
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

inline std::int32_t Worker::num_workers() const { return pool_->num_threads(); }

template <class Body>
void Worker::claim(std::atomic<std::int64_t>& next, std::int64_t last, std::int64_t count,
                   std::int64_t chunk, Body&& body) {
  // Relaxed is enough: a claim hands over a number, the barrier hands over the data.
  for (;;) {
    const std::int64_t first = next.fetch_add(1, std::memory_order_relaxed) * chunk;
    if (first >= last) return;
    body(first, first + chunk < count ? first + chunk : count);
  }
}

template <class Body>
void Worker::parallel_for(std::int64_t count, std::int64_t chunk, Body&& body) {
  claim(pool_->counter(loops_++, 0), count, count, chunk, body);
}

template <class Body>
void Worker::parallel_shares(std::int64_t count, std::int64_t chunk, Body&& body) {
  const std::int64_t pieces = (count + chunk - 1) / chunk;
  const std::int32_t workers = num_workers();
  const std::uint32_t loop = loops_++;
  for (std::int32_t k = 0; k < std::min(workers, 1 + kHelped); ++k) {
    const std::int32_t owner = (index_ + k) % workers;
    const std::int64_t first = pieces * owner / workers * chunk;
    const std::int64_t last = std::min(pieces * (owner + 1) / workers * chunk, count);
    claim(pool_->counter(loop, owner), last - first, count - first, chunk,
          [&](std::int64_t begin, std::int64_t end) { body(first + begin, first + end); });
  }
}

inline void Worker::barrier() { pool_->arrive(loops_); }

}  // namespace vernal::cpu_avx2

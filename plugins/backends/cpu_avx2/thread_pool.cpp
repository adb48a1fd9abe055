#include "thread_pool.hpp"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <string>
#include <system_error>

#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Longest busy wait. An operation of a step takes a few to a few hundred microseconds; a sleep and
/// its wake-up cost about as much as this.
constexpr std::chrono::microseconds kSpin{50};

/// Waits until `value` differs from `old`: spins, then sleeps.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  while (value.load(std::memory_order_acquire) == old) {
    for (int i = 0; i < 16; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      _mm_pause();
    }
    if (std::chrono::steady_clock::now() < deadline) continue;
    value.wait(old, std::memory_order_acquire);
  }
}

void bind_to_cpu(std::thread& thread, std::int64_t cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  pthread_setaffinity_np(thread.native_handle(), sizeof(set), &set);
}

}  // namespace

ThreadPool::ThreadPool(std::int32_t num_threads, std::span<const std::int64_t> cpus)
    : num_threads_(num_threads) {
  if (num_threads < 1) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                "thread pool: expected at least 1 thread, found " + std::to_string(num_threads));
  }
  counters_ = std::vector<Counter>(kCounters * static_cast<std::size_t>(num_threads));
  threads_.reserve(static_cast<std::size_t>(num_threads - 1));
  try {
    for (std::int32_t i = 1; i < num_threads; ++i) {
      threads_.emplace_back([this, i] { work(i); });
      if (!cpus.empty()) {
        bind_to_cpu(threads_.back(), cpus[static_cast<std::size_t>(i) % cpus.size()]);
      }
    }
  } catch (const std::system_error& error) {
    const std::size_t started = threads_.size() + 1;
    stop();
    throw Error(VERNAL_RESOURCE_EXHAUSTED,
                "thread pool: the system gave " + std::to_string(started) + " of " +
                    std::to_string(num_threads) + " threads: " + error.what());
  } catch (...) {
    stop();  // a thread that is not joined would end the process
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadPool::run_region() {
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  Worker worker(*this, 0);
  region_.call(region_.user, worker);
  arrive(worker.loops_);
}

void ThreadPool::work(std::int32_t index) {
  std::uint32_t seen = 0;
  for (;;) {
    wait_for_change(epoch_, seen);
    ++seen;  // regions never overlap, so exactly one has begun
    if (stopping_.load(std::memory_order_relaxed)) return;
    Worker worker(*this, index);
    region_.call(region_.user, worker);
    arrive(worker.loops_);
  }
}

void ThreadPool::arrive(std::uint32_t loops) {
  const std::uint32_t generation = generation_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < num_threads_) {
    wait_for_change(generation_, generation);
    return;
  }
  // The last one in: nobody claims now, so the counters of this stretch can begin anew.
  const std::uint32_t used = loops < kCounters ? loops : kCounters;
  for (std::uint32_t i = 0; i < used; ++i) {
    for (std::int32_t worker = 0; worker < num_threads_; ++worker) {
      counter(loops - 1 - i, worker).store(0, std::memory_order_relaxed);
    }
  }
  arrived_.store(0, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

}  // namespace vernal::cpu_avx2

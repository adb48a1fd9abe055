#include "command/bench/read_bandwidth.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

namespace vernal {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{512} << 20;
constexpr int kPasses = 6;

/// Sum of a range, in independent chains so that loads and not additions are the limit.
std::uint64_t sum(const std::uint64_t* begin, std::size_t count) {
  constexpr std::size_t kChains = 16;
  std::uint64_t chains[kChains] = {};
  for (std::size_t i = 0; i + kChains <= count; i += kChains) {
    for (std::size_t c = 0; c < kChains; ++c) chains[c] += begin[i + c];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t chain : chains) total += chain;
  return total;
}

}  // namespace

double measure_read_bandwidth(std::uint32_t num_threads) {
  using Clock = std::chrono::steady_clock;
  const std::vector<std::uint64_t> buffer(kBufferBytes / sizeof(std::uint64_t), 1);
  const std::size_t share = buffer.size() / num_threads;
  std::atomic<std::uint64_t> checksum = 0;
  double best = 0;
  Clock::time_point begin;
  const auto on_phase = [&, phase = 0]() mutable noexcept {
    const auto now = Clock::now();
    if (phase++ > 0) {
      const double seconds = std::chrono::duration<double>(now - begin).count();
      best = std::max(best,
                      static_cast<double>(share * num_threads * sizeof(std::uint64_t)) / seconds);
    }
    begin = Clock::now();
  };
  std::barrier barrier(static_cast<std::ptrdiff_t>(num_threads), on_phase);
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      for (int pass = 0; pass < kPasses; ++pass) {
        barrier.arrive_and_wait();
        checksum += sum(buffer.data() + t * share, share);
      }
      barrier.arrive_and_wait();
    });
  }
  threads.clear();
  return checksum != 0 ? best : 0;
}

}  // namespace vernal

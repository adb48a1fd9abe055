#include "command/bench/read_bandwidth.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

namespace vernal {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{512} << 20;
constexpr int kPasses = 6;

/// Memory in pages of 2 MiB where the system gives them, as weights have: with small pages a core
/// waits for translations as well.
class LargePages {
 public:
  explicit LargePages(std::size_t bytes) : bytes_(bytes + kPage) {
    data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ == MAP_FAILED) throw std::bad_alloc();
    ::madvise(data_, bytes_, MADV_HUGEPAGE);  // a wish; without it the figure is lower
  }
  ~LargePages() { ::munmap(data_, bytes_); }
  LargePages(const LargePages&) = delete;
  LargePages& operator=(const LargePages&) = delete;

  std::uint64_t* numbers() const {
    const auto address = reinterpret_cast<std::uintptr_t>(data_);
    return reinterpret_cast<std::uint64_t*>((address + kPage - 1) / kPage * kPage);
  }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  std::size_t bytes_;
  void* data_ = nullptr;
};

/// Sum of a range, in independent chains so that loads and not additions are the limit.
///   kAsks  lines are asked for into the second cache ahead of their use; behind the range, too, which
///          does no harm
template <bool kAsks>
std::uint64_t sum(const std::uint64_t* begin, std::size_t count) {
  constexpr std::size_t kChains = 16;
  constexpr std::size_t kLine = 8;
  constexpr std::uintptr_t kAhead = 6656;  // bytes
  constexpr int kSecondCache = 2;          // how long a line is to be kept, as the builtin counts
  std::uint64_t chains[kChains] = {};
  for (std::size_t i = 0; i + kChains <= count; i += kChains) {
    for (std::size_t c = 0; kAsks && c < kChains; c += kLine) {
      const auto wanted = reinterpret_cast<std::uintptr_t>(begin + i + c) + kAhead;
      __builtin_prefetch(reinterpret_cast<const void*>(wanted), 0, kSecondCache);
    }
    for (std::size_t c = 0; c < kChains; ++c) chains[c] += begin[i + c];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t chain : chains) total += chain;
  return total;
}

}  // namespace

double measure_read_bandwidth(std::uint32_t num_threads) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kCount = kBufferBytes / sizeof(std::uint64_t);
  const LargePages memory(kBufferBytes);
  std::uint64_t* const numbers = memory.numbers();
  std::fill_n(numbers, kCount, 1);
  const std::size_t share = kCount / num_threads;
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
        const std::uint64_t* const own = numbers + t * share;
        checksum += pass % 2 == 0 ? sum<false>(own, share) : sum<true>(own, share);
      }
      barrier.arrive_and_wait();
    });
  }
  threads.clear();
  return checksum != 0 ? best : 0;
}

}  // namespace vernal

// Measures how fast this machine reads memory, to compare kernels with it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "thread_pool.hpp"

namespace vernal::cpu_avx2 {

/// The bytes per second of reading `size` bytes from front to back on all threads of `pool`. The
/// best of `rounds` counts. `size` should be many times the last-level cache.
inline double read_bandwidth(const std::byte* data, std::int64_t size, ThreadPool& pool,
                             int rounds = 3) {
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    pool.run([&](Worker& worker) {
      const std::int64_t part = size / worker.num_workers() / 256 * 256;
      const auto* words = reinterpret_cast<const std::uint64_t*>(data + worker.index() * part);
      // Independent sums, so that loads and not additions are the limit.
      constexpr std::int64_t kSums = 16;
      std::uint64_t sums[kSums] = {};
      for (std::int64_t i = 0; i < part / 8; i += kSums) {
        for (std::int64_t k = 0; k < kSums; ++k) sums[k] += words[i + k];
      }
      volatile std::uint64_t sink = 0;
      for (const std::uint64_t sum : sums) sink = sink ^ sum;
    });
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(size) / spent.count());
  }
  return best;
}

}  // namespace vernal::cpu_avx2

// Measures how fast this machine reads memory, to compare kernels with it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
      const std::byte* p = data + worker.index() * part;
      // Eight sums at once: enough loads at the same time for any machine, and a compiler cannot
      // drop them.
      std::uint64_t sums[8] = {};
      for (std::int64_t i = 0; i < part; i += 64) {
        std::uint64_t words[8];
        std::memcpy(words, p + i, sizeof(words));
        for (int k = 0; k < 8; ++k) sums[k] ^= words[k];
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

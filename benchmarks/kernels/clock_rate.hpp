// How fast the calling thread's core runs right now, so that speeds can be given for a cycle.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace vernal::cpu_avx2 {

/// Cycles a second, by a chain of multiplications of which each waits for the one before: three cycles
/// on every processor with AVX2 so far (Intel from Haswell on, AMD Zen). The best of `rounds`, each of
/// 20 us: what interrupts one would count as cycles that are missing.
inline double clock_rate(int rounds = 5) {
  constexpr int kMultiplications = 30'000;
  constexpr double kCycles = 3.0;
  double best = 0.0;
  for (int round = 0; round < rounds; ++round) {
    std::uint64_t chain = 3;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kMultiplications / 10; ++i) {
      __asm__ volatile(
          "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\t"
          "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0"
          : "+r"(chain));
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    best = std::max(best, kCycles * kMultiplications / spent.count());
  }
  return best;
}

}  // namespace vernal::cpu_avx2

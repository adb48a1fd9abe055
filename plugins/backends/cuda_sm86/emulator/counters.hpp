// What the emulator has done, for tests that check how a program works and not only what it gives.
#pragma once

#include <cstdint>

namespace vernal::cuda_sm86::emulator {

/// Since the start of the process or the last reset(). Operations count when they run, so those of
/// a graph count in each launch.
struct Counters {
  std::uint64_t kernels = 0;
  std::uint64_t blocks = 0;
  std::uint64_t threads = 0;
  std::uint64_t copies = 0;  ///< cudaMemcpy and cudaMemcpyAsync
  std::uint64_t copied_bytes = 0;
  std::uint64_t fills = 0;  ///< cudaMemsetAsync
  std::uint64_t graph_launches = 0;
  std::uint64_t load_once_bytes = 0;   ///< what kernels have read through load_once()
  std::uint64_t copy_async_bytes = 0;  ///< and through copy_async()
};

/// The counters themselves. Only the emulator writes them; tests call counters() of testing.hpp.
extern Counters counters_in_kernel;

}  // namespace vernal::cuda_sm86::emulator

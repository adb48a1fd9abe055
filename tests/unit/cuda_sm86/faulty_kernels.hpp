// Kernels with one mistake each, that the emulator must find.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include <cuda_runtime_api.h>
#else
#include "emulator/include/cuda_runtime_api.h"
#endif

namespace vernal::cuda_sm86 {

inline constexpr int kFaultyThreads = 64;

enum class FaultyKernel : std::uint8_t {
  kReadBeforeWrite,   ///< no barrier between writing shared memory and reading a neighbour's
  kWriteAfterRead,    ///< no barrier between reading shared memory and writing it again
  kNoWarpBarrier,     ///< the same as the first within one warp
  kDivergentShuffle,  ///< a shuffle of all lanes that half of them call
  kTwoShuffles,       ///< a shuffle of all lanes, called at two places
  kForeignLane,       ///< reads a lane that takes no part
  kForeignMask,       ///< names a mask without the own lane
  kSkippedBarrier,    ///< one thread does not come to a barrier
  kTwoBarriers,       ///< threads wait at two different barriers
  kSharedOverrun,     ///< writes behind an object of shared memory
  kTooMuchShared,     ///< more shared memory than a block has
  kOverrun,           ///< writes one number behind `out` [kFaultyThreads]
  kFarOverrun,        ///< writes a page behind it
  kUninitialised,     ///< adds to what `out` holds
  kUninitialisedShared,
  kTrap,
  kMisalignedLoad,  ///< load_once() from an address that is no multiple of 16
  kCopyPastShared,  ///< copy_async() behind an object of shared memory
  kDeepStack,       ///< calls itself without end
};

/// Launches one block.  out [kFaultyThreads]
cudaError_t faulty_kernel(cudaStream_t stream, FaultyKernel kernel, const float* values,
                          float* out);

}  // namespace vernal::cuda_sm86

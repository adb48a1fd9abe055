// Where the running thread stands in its grid: what threadIdx and its companions are in a kernel.
#pragma once

#include "emulator/include/vector_types.h"

namespace vernal::cuda_sm86::emulator {

/// Set before a thread goes on.
struct Position {
  uint3 thread;
  uint3 block;
  dim3 block_size;
  dim3 grid_size;
};
extern Position position;

}  // namespace vernal::cuda_sm86::emulator

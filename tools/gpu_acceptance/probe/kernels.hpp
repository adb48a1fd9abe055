// Kernels that ask a device for what the backend's kernels take for granted.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace vernal::probe {

// All memory is the device's. Each launch answers what the runtime says of it.

/// One product of a warp for each of three instructions, with fragments where kernels/device.hpp
/// says they are.
///   a8    s8 [16, 32]    b8    s8 [8, 32], columns of B
///   a16   f16 [16, 16]   b16   f16 [8, 16], columns of B
///   full  s32 [16, 8]: a8 b8    half  s32 [16, 8]: the first 16 of the 32    floats  f32 [16, 8]: a16 b16
struct Products {
  const std::uint8_t* a8;
  const std::uint8_t* b8;
  const std::uint16_t* a16;
  const std::uint16_t* b16;
  std::int32_t* full;
  std::int32_t* half;
  float* floats;
};
cudaError_t launch_products(cudaStream_t stream, const Products& products);

/// Turns every binary16 into f32, f32 [65536], and each of those back, u16 [65536].
cudaError_t launch_halves(cudaStream_t stream, float* floats, std::uint16_t* halves);

/// Rounds `count` floats to binary16 and to the nearest integer.
cudaError_t launch_rounding(cudaStream_t stream, const float* floats, int count,
                            std::uint16_t* halves, std::int32_t* integers);

/// out [count]: the bytes that selectors[i] names of low and high.
cudaError_t launch_bytes(cudaStream_t stream, std::uint32_t low, std::uint32_t high,
                         const std::uint32_t* selectors, int count, std::uint32_t* out);

/// out [32, 6]: for each lane, lane ^ 1 .. lane ^ 16 by shuffles, and whether all lanes are below
/// 31 or 32, as bits.
cudaError_t launch_lanes(cudaStream_t stream, std::int32_t* out);

/// Copies 1024 x 16 bytes through shared memory in two groups, a block of 256 threads, each thread reading
/// what another one copied.
cudaError_t launch_copies(cudaStream_t stream, const std::uint32_t* from, std::uint32_t* to);

/// Reads num_bytes, a multiple of 16 x num_blocks x 256, once. `sum` gets what makes the reading
/// needed.
cudaError_t launch_read(cudaStream_t stream, const void* from, std::uint64_t num_bytes,
                        int num_blocks, std::uint32_t* sum);

}  // namespace vernal::probe

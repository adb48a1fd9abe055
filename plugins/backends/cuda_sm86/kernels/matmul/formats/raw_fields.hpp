// Fields of stored blocks as files have them (sdk/spec/formats.md): little-endian, at any byte.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

__device__ __forceinline__ uint32_t raw_u16(const unsigned char* at) {
  return static_cast<uint32_t>(at[0]) | static_cast<uint32_t>(at[1]) << 8;
}
__device__ __forceinline__ uint32_t raw_u32(const unsigned char* at) {
  return raw_u16(at) | raw_u16(at + 2) << 16;
}
__device__ __forceinline__ float raw_f16(const unsigned char* at) {
  return float_of_half(static_cast<uint16_t>(raw_u16(at)));
}
__device__ __forceinline__ float raw_f32(const unsigned char* at) {
  return __uint_as_float(raw_u32(at));
}

/// Number `index` of a field of `width`-bit numbers in planes: a run of `run` bytes holds the first
/// `run` numbers in its lowest bits, the next ones in the bits above; then the next run follows.
__device__ __forceinline__ uint32_t raw_plane(const unsigned char* field, int run, int width,
                                              int index) {
  const int per_run = run * (8 / width);
  const int byte = index / per_run * run + index % run;
  const int plane = index % per_run / run;
  return static_cast<uint32_t>(field[byte]) >> (plane * width) & ((1U << width) - 1U);
}

}  // namespace vernal::cuda_sm86

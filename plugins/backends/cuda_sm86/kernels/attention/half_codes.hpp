// Integer codes as pairs of binary16, exact: a small integer in the low bits of 0x6400 is 1024 more
// than itself. One instruction places the codes, a second takes the 1024 off.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr uint32_t kMinus1032 =
    0xE408E408U;  ///< 1024 and the 8 that q4_0 codes are shifted by
inline constexpr uint32_t kMinus1152 = 0xE480E480U;  ///< 1024 and 128
inline constexpr uint32_t kMinus72 = 0xD480D480U;    ///< 1024 / 16 and 8
inline constexpr uint32_t kSixteenth = 0x2C002C00U;

/// The codes of q4_0 in the low halves of bytes 0 and 2, less 8.
__device__ __forceinline__ uint32_t low_nibbles(uint32_t word) {
  return add_halves((word & 0x000F000FU) | 0x64006400U, kMinus1032);
}
/// The same of their high halves.
__device__ __forceinline__ uint32_t high_nibbles(uint32_t word) {
  return multiply_add_halves((word & 0x00F000F0U) | 0x64006400U, kSixteenth, kMinus72);
}
/// Two of four signed bytes: those that nibbles 0 and 2 of the selector name; 1 and 3 are 4.
template <unsigned kSelector>
__device__ __forceinline__ uint32_t signed_bytes(uint32_t word) {
  const uint32_t unsigned_codes = word ^ 0x80808080U;
  return add_halves(__byte_perm(unsigned_codes, 0x64646464U, kSelector), kMinus1152);
}

/// Word i of a vector; i is known when this is compiled.
__device__ __forceinline__ uint32_t word_of(const uint4& words, int i) {
  return i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w;
}
__device__ __forceinline__ uint32_t word_at(const unsigned char* at) {
  return *reinterpret_cast<const uint32_t*>(at);
}

}  // namespace vernal::cuda_sm86

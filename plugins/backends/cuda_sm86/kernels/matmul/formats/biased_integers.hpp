// Small integers as floats, without the conversion, which takes four times as long as an addition:
// 1.5 * 2^23 + n has n in its lowest bits, for |n| < 2^22.
#pragma once

#include "kernels/device.hpp"

namespace vernal::cuda_sm86 {

inline constexpr float kIntegerBias = 12582912.0F;
inline constexpr uint32_t kIntegerBiasBits = 0x4B400000U;

/// The bits of kIntegerBias plus byte `index` of a word, unsigned.
__device__ __forceinline__ uint32_t biased_byte(uint32_t word, int index) {
  return permute_bytes(word, kIntegerBiasBits, 0x7650U | static_cast<uint32_t>(index));
}
/// Byte `index` of a word less `offset`, an integer.
__device__ __forceinline__ float byte_less(uint32_t word, int index, int offset) {
  return __fadd_rn(__uint_as_float(biased_byte(word, index)),
                   -(kIntegerBias + static_cast<float>(offset)));
}

}  // namespace vernal::cuda_sm86

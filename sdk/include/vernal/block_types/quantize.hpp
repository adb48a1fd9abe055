// Writers of the two formats that are made at run time, for keys and values: rows of q8_0 and
// q4_0.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "vernal/block_types/float16.hpp"

namespace vernal {

/// The scale of a block. Zero for a block of zeros; at most the largest f16, 65504, in magnitude.
struct BlockScale {
  std::uint16_t pattern;  ///< what is stored
  float inverse;          ///< 1 / the stored value; 0 if that is 0
};

/// The f16 nearest to the scale `wanted`, and its inverse. If `wanted` is not finite, the scale is
/// a NaN: then the block reads as NaN, and the fault is noticed later.
inline BlockScale block_scale(float wanted) noexcept {
  constexpr float kLargestF16 = 65504.0F;
  if (!std::isfinite(wanted)) return {0x7E00U, 0.0F};
  const std::uint16_t pattern = f16_from_float(std::clamp(wanted, -kLargestF16, kLargestF16));
  const float stored = float_from_f16(pattern);
  return {pattern, stored == 0.0F ? 0.0F : 1.0F / stored};
}

/// The element of largest magnitude, with its sign; of equals the first one. If there is a NaN or
/// an infinity, it is the result.
inline float extreme_of(const float* values, std::uint32_t count) noexcept {
  float extreme = 0.0F;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return values[i];
    if (std::fabs(values[i]) > std::fabs(extreme)) extreme = values[i];
  }
  return extreme;
}

inline void store_u16(std::uint16_t value, std::byte* out) noexcept {
  out[0] = static_cast<std::byte>(value & 0xFFU);
  out[1] = static_cast<std::byte>(value >> 8U);
}

/// Writes a row of q8_0. For each block of 32 values, D = f16(max |x| / 127). A code is x * (1/D),
/// rounded to the nearest integer, ties to even, and limited to -127..127. All arithmetic is in
/// float, with the D that is stored.
///   in   [columns], columns a multiple of 32
///   out  columns / 32 * 34 bytes, not overlapping in
inline void quantize_row_q8_0(const float* in, std::uint64_t columns, std::byte* out) noexcept {
  for (std::uint64_t first = 0; first < columns; first += 32, in += 32, out += 34) {
    const BlockScale scale = block_scale(std::fabs(extreme_of(in, 32)) / 127.0F);
    store_u16(scale.pattern, out);
    for (std::uint32_t w = 0; w < 32; ++w) {
      const float code = scale.inverse == 0.0F ? 0.0F : std::nearbyint(in[w] * scale.inverse);
      const auto clamped = static_cast<std::int32_t>(std::clamp(code, -127.0F, 127.0F));
      out[2 + w] = static_cast<std::byte>(clamped & 0xFF);
    }
  }
}

/// Writes a row of q4_0. For each block of 32 values, D = f16(x / -8) for the x of largest
/// magnitude, so that this x gets the code 0. A code is x * (1/D) + 8, rounded to the nearest
/// integer, ties to even, and limited to 0..15.
///   in   [columns], columns a multiple of 32
///   out  columns / 32 * 18 bytes, not overlapping in
inline void quantize_row_q4_0(const float* in, std::uint64_t columns, std::byte* out) noexcept {
  for (std::uint64_t first = 0; first < columns; first += 32, in += 32, out += 18) {
    const BlockScale scale = block_scale(extreme_of(in, 32) / -8.0F);
    store_u16(scale.pattern, out);
    const auto code_of = [&scale](float value) {
      const float code = scale.inverse == 0.0F ? 0.0F : std::nearbyint(value * scale.inverse);
      return static_cast<std::uint32_t>(std::clamp(code, -8.0F, 7.0F) + 8.0F);
    };
    for (std::uint32_t j = 0; j < 16; ++j) {
      out[2 + j] = static_cast<std::byte>(code_of(in[j]) | code_of(in[j + 16]) << 4U);
    }
  }
}

}  // namespace vernal

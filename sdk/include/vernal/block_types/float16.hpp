// 16-bit floats: exact conversions in integer arithmetic, the same on every machine.
#pragma once

#include <bit>
#include <cstdint>

namespace vernal {

/// IEEE binary16 pattern -> float. Exact, also for subnormals. A NaN keeps its sign and payload and
/// becomes quiet, as with the F16C instructions.
constexpr float float_from_f16(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0x1F) {
    const std::uint32_t quiet = fraction == 0 ? 0U : 0x00400000U;
    return std::bit_cast<float>(sign | 0x7F800000U | quiet | fraction << 13U);
  }
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112U) << 23U | fraction << 13U);
  // Subnormal or zero: fraction * 2^-24, a product of two exact floats.
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

/// float -> IEEE binary16 pattern, rounded to nearest, ties to even. What rounds to more than 65504
/// becomes infinity. What is at most half of 2^-24 becomes zero of the same sign. A NaN becomes a
/// quiet NaN with the top bits of its payload.
constexpr std::uint16_t f16_from_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<std::uint16_t>(sign | 0x7E00U | (magnitude >> 13U & 0x3FFU));
  }
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // >= 65520
  if (magnitude < 0x33000000U) return static_cast<std::uint16_t>(sign);             // < 2^-25
  const std::uint32_t exponent = magnitude >> 23U;
  std::uint32_t result = 0;
  std::uint32_t dropped_bits = 13;
  std::uint32_t fraction = magnitude & 0x7FFFFFU;
  if (exponent > 112U) {
    result = (exponent - 112U) << 10U | fraction >> 13U;
  } else {  // a subnormal result: the hidden bit becomes part of the fraction
    fraction |= 0x800000U;
    dropped_bits = 126U - exponent;
    result = fraction >> dropped_bits;
  }
  const std::uint32_t dropped = fraction & ((1U << dropped_bits) - 1U);
  const std::uint32_t half_unit = 1U << (dropped_bits - 1U);
  // A carry out of the fraction increments the exponent: that is right for rounding up.
  if (dropped > half_unit || (dropped == half_unit && (result & 1U) != 0)) ++result;
  return static_cast<std::uint16_t>(sign | result);
}

/// bfloat16 pattern -> float: the upper half of the float's pattern. Exact.
constexpr float float_from_bf16(std::uint16_t pattern) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(pattern) << 16U);
}

/// float -> bfloat16 pattern, rounded to nearest, ties to even. A NaN becomes a quiet NaN.
constexpr std::uint16_t bf16_from_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);
  const std::uint32_t round_up = 0x7FFFU + (bits >> 16U & 1U);
  return static_cast<std::uint16_t>((bits + round_up) >> 16U);
}

}  // namespace vernal

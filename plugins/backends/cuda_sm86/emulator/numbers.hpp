// The arithmetic that CUDA builds in and C++ lacks. All functions are exact copies of what the
// device does with the same bits, but for the ways of rounding that comments name.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace vernal::cuda_sm86::emulator {

/// The float of an IEEE binary16 pattern, exact. Keeps the payload of a NaN.
inline float float_of_half(std::uint16_t bits) {
  const std::uint32_t magnitude = bits & 0x7FFFU;
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  // Moved to their places, exponent and mantissa mean a number 2^112 times too small; so a binary16
  // without a leading one becomes right as well. Infinity and NaN get the greatest exponent.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
  const std::uint32_t special = magnitude >= 0x7C00U ? 0x7F800000U : 0U;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | special | sign);
}

/// The nearest binary16, ties to even. Each NaN gives 0x7FFF, as on the device.
inline std::uint16_t half_of_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return 0x7FFF;
  }
  if (magnitude >= 0x477FF000U) {  // 65520 and more round to infinity
    return sign | 0x7C00U;
  }
  if (magnitude < 0x38800000U) {  // below 2^-14: the unit in the last place is 2^-24
    const float units = std::bit_cast<float>(magnitude) * 0x1p24F;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(units)));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1U;
  const std::uint32_t rounded = magnitude - 0x38000000U + 0xFFFU + odd;
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

/// Two binary16 in a register, the first one in the lower half.
inline std::uint32_t pack_halves(float low, float high) {
  return half_of_float(low) | static_cast<std::uint32_t>(half_of_float(high)) << 16;
}

/// What `operation` gives for the numbers of each half. Sums and products of two binary16 are exact
/// in f64; on the way to binary16 they pass f32, which differs from rounding once only where the
/// exact number is very near the middle between two binary16.
template <class Operation, class... Halves>
std::uint32_t for_each_half(const Operation& operation, Halves... halves) {
  const auto part = [](std::uint32_t bits, int shift) {
    return static_cast<double>(float_of_half(static_cast<std::uint16_t>(bits >> shift)));
  };
  std::uint32_t out = 0;
  for (const int shift : {0, 16}) {
    const auto value = static_cast<float>(operation(part(halves, shift)...));
    out |= static_cast<std::uint32_t>(half_of_float(value)) << shift;
  }
  return out;
}
inline std::uint32_t add_halves(std::uint32_t a, std::uint32_t b) {
  return for_each_half([](double x, double y) { return x + y; }, a, b);
}
inline std::uint32_t multiply_halves(std::uint32_t a, std::uint32_t b) {
  return for_each_half([](double x, double y) { return x * y; }, a, b);
}
inline std::uint32_t multiply_add_halves(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  return for_each_half([](double x, double y, double z) { return x * y + z; }, a, b, c);
}

/// Byte `index` of `word`, the lowest first, with its sign.
constexpr int signed_byte(std::uint32_t word, int index) {
  return static_cast<std::int8_t>(static_cast<std::uint8_t>(word >> (8 * index)));
}

/// The sum modulo 2^32.
constexpr int wrapping_sum(int a, int b) {
  return static_cast<int>(static_cast<unsigned>(a) + static_cast<unsigned>(b));
}

/// sum + the products of four pairs of signed bytes.
constexpr int dot_of_bytes(std::uint32_t a, std::uint32_t b, int sum) {
  const int dot = signed_byte(a, 0) * signed_byte(b, 0) + signed_byte(a, 1) * signed_byte(b, 1) +
                  signed_byte(a, 2) * signed_byte(b, 2) + signed_byte(a, 3) * signed_byte(b, 3);
  return wrapping_sum(sum, dot);
}

/// The same with unsigned bytes.
constexpr unsigned dot_of_unsigned_bytes(unsigned a, unsigned b, unsigned sum) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    sum += ((a >> shift) & 0xFFU) * ((b >> shift) & 0xFFU);
  }
  return sum;
}

/// Four bytes of the eight in low and high. Nibble k of `selector` names byte k of the result: three
/// bits are an index, and the fourth asks for eight copies of that byte's sign bit.
constexpr unsigned permute_bytes(unsigned low, unsigned high, unsigned selector) {
  const std::uint64_t bytes = (static_cast<std::uint64_t>(high) << 32) | low;
  unsigned out = 0;
  for (unsigned k = 0; k < 4; ++k) {
    const unsigned nibble = (selector >> (4 * k)) & 0xFU;
    unsigned byte = static_cast<unsigned>(bytes >> (8 * (nibble & 7U))) & 0xFFU;
    if ((nibble & 8U) != 0) {
      byte = (byte & 0x80U) != 0 ? 0xFFU : 0U;
    }
    out |= byte << (8 * k);
  }
  return out;
}

/// What keeps a constant in a register; here it is where it is.
constexpr std::uint32_t kept(std::uint32_t constant) { return constant; }

/// The nearest integer, ties to even. Saturates; NaN gives 0.
inline int nearest_int(float value) {
  if (std::isnan(value)) {
    return 0;
  }
  const float rounded = std::nearbyint(value);
  if (rounded >= 0x1p31F) {
    return INT32_MAX;
  }
  return rounded < -0x1p31F ? INT32_MIN : static_cast<int>(rounded);
}

}  // namespace vernal::cuda_sm86::emulator

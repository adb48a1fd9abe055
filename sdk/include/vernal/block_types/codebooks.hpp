// The values that the codes of scalar formats stand for: tables of signed bytes, and the trellis,
// which computes its values. Where a format has two rows of values, a constant, the shift, is added
// to the first row to make the second.
#pragma once

#include <array>
#include <cstdint>

namespace vernal {

/// Two-bit codes of iq2_k and iq2_ks.
inline constexpr std::array<std::int8_t, 4> kIq2Values{-31, -13, 1, 17};
inline constexpr std::int32_t kIq2Shift = 5;

/// Three-bit codes of iq3_k and iq3_ks.
inline constexpr std::array<std::int8_t, 8> kIq3Values{-63, -40, -23, -10, 1, 13, 28, 47};
inline constexpr std::int32_t kIq3Shift = 4;

/// Four-bit codes of iq4_nl and iq4_xs (first row) and of iq4_k, iq4_ks and iq4_kss (both rows).
/// The scales of iq2_kt are codes of the first row, too.
inline constexpr std::array<std::array<std::int8_t, 16>, 2> kIq4Values{{
    {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113},
    {-123, -100, -79, -61, -45, -31, -18, -6, 5, 17, 29, 42, 57, 73, 93, 117},
}};

/// Five-bit codes of iq5_k and iq5_ks.
inline constexpr std::array<std::int8_t, 32> kIq5Values{
    -126, -114, -103, -92, -83, -74, -65, -57, -50, -43, -36, -30, -24, -18, -12, -6,
    -1,   5,    11,   17,  23,  29,  36,  43,  51,  59,  68,  77,  87,  97,  109, 121};
inline constexpr std::int32_t kIq5Shift = 2;

/// Six-bit codes of iq6_k: a cubic polynomial of the code, rounded to integers.
inline constexpr std::array<std::int8_t, 64> kIq6Values{
    -127, -121, -115, -109, -104, -98, -93, -88, -84, -79, -74, -70, -66, -62, -58, -54,
    -51,  -47,  -44,  -40,  -37,  -34, -31, -28, -25, -22, -19, -16, -13, -11, -8,  -5,
    -2,   0,    3,    6,    9,    12,  14,  17,  20,  23,  27,  30,  33,  36,  40,  44,
    47,   51,   55,   59,   63,   68,  72,  77,  82,  87,  92,  98,  103, 109, 115, 121};
inline constexpr std::int32_t kIq6Shift = 1;

/// Four-bit floats of mxfp4: one bit of sign, two of exponent, one of fraction. They are doubled so
/// that they are integers.
inline constexpr std::array<std::int8_t, 16> kMxfp4Values{0, 1,  2,  3,  4,  6,  8,  12,
                                                          0, -1, -2, -3, -4, -6, -8, -12};

/// Five-bit codes of iq2_kl. A code stands for two neighbouring weights.
inline constexpr std::array<std::array<std::int8_t, 2>, 32> kIq2KlPairs{{
    {-63, -23}, {-63, 13}, {-40, -63}, {-40, -10}, {-40, 13}, {-40, 47}, {-23, -40}, {-23, -23},
    {-23, 1},   {-23, 13}, {-23, 28},  {-10, -63}, {-10, 1},  {-10, 13}, {-10, 47},  {1, -23},
    {1, -10},   {1, 1},    {1, 13},    {1, 28},    {13, -40}, {13, -23}, {13, -10},  {13, 1},
    {13, 13},   {28, -63}, {28, -23},  {28, 1},    {28, 28},  {28, 47},  {47, -23},  {47, 13},
}};

/// A trellis makes a run of values from one seed: x_1 = seed * F, x_2 = x_1 * F, ... modulo 2^32.
/// Value k is a sum of fields of x_k. These are the powers of F, with which a single value can be
/// computed.
inline constexpr std::array<std::uint32_t, 8> kTrellisFactors = [] {
  std::array<std::uint32_t, 8> powers{};
  std::uint32_t power = 1;
  for (std::uint32_t& factor : powers) {
    power *= 0xCBAC1FEDU;
    factor = power;
  }
  return powers;
}();

/// Value `index`, 0 to 7, of the run that starts at `seed`: the sum of the low six bits of its four
/// bytes, minus 126. The result is in -126..126.
constexpr std::int32_t trellis_value(std::uint32_t seed, std::uint32_t index) noexcept {
  const std::uint32_t fields = seed * kTrellisFactors[index] & 0x3F3F3F3FU;
  const std::uint32_t pairs = (fields & 0x00FF00FFU) + (fields >> 8U & 0x00FF00FFU);
  return static_cast<std::int32_t>((pairs & 0xFFFFU) + (pairs >> 16U)) - 126;
}

}  // namespace vernal

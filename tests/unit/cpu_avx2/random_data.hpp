// Test inputs from fixed seeds.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "vernal/block_types.hpp"

namespace vernal::cpu_avx2 {

/// Normal numbers.
inline std::vector<float> random_floats(std::size_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> out(count);
  for (float& value : out) value = normal(generator);
  return out;
}

/// Minimum over scale that centres the weights of a format around zero; 0 without minimums.
inline float minimum_factor(const BlockType& type) {
  if (type.name == "q4_1") return -7.5F;
  if (type.name == "q5_1") return -15.5F;
  if (type.name == "q2_K") return 1.5F;
  if (type.name == "q4_K") return 7.5F;
  if (type.name == "q5_K") return 15.5F;
  return 0.0F;
}

/// Where the f16 scale of a block is.
inline std::size_t scale_place(const BlockType& type) {
  if (type.name == "q2_K") return 80;
  if (type.name == "q3_K") return 108;
  if (type.name == "q6_K") return 208;
  return 0;
}

inline void put_half(std::byte* p, float value) {
  const std::uint16_t half = f16_from_float(value);
  std::memcpy(p, &half, sizeof(half));
}

/// Gives a block of random bytes a scale of a useful size, or makes it a number of such a size.
inline void put_scale(const BlockType& type, std::byte* block, float value) {
  if (type.name == "f32") {
    std::memcpy(block, &value, sizeof(value));
  } else if (type.name == "bf16") {
    block[1] = static_cast<std::byte>((std::to_integer<unsigned>(block[1]) & 0x80U) | 0x3CU);
  } else if (type.name == "mxfp4") {
    block[0] = static_cast<std::byte>(value > 1e-2F ? 121 : 120);
  } else if (type.name == "iq1_m") {
    const std::uint32_t half = f16_from_float(value);
    for (std::uint32_t k = 0; k < 4; ++k) {
      std::byte& top = block[48 + 2 * k + 1];
      top = (top & std::byte{0x0F}) | static_cast<std::byte>((half >> 4 * k & 15U) << 4U);
    }
  } else {
    std::byte* const scale = block + scale_place(type);
    const bool is_negative = type.name == "f16" && (block[0] & std::byte{1}) != std::byte{0};
    put_half(scale, is_negative ? -value : value);
    if (minimum_factor(type) != 0.0F) put_half(scale + 2, value * minimum_factor(type));
  }
}

/// Random codes with scales of a useful size, rows as a file stores them.
inline std::vector<std::byte> random_weights(const BlockType& type, std::int64_t rows,
                                             std::int64_t columns, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(0.5F, 1.5F);
  const std::size_t row_bytes = type.row_bytes(static_cast<std::uint64_t>(columns));
  const std::size_t num_blocks = static_cast<std::size_t>(columns) / type.weights_per_block;
  std::vector<std::byte> out(static_cast<std::size_t>(rows) * row_bytes);
  for (std::byte& b : out) b = static_cast<std::byte>(generator() & 255U);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    std::byte* const row = out.data() + r * row_bytes;
    const float of_row = 1e-3F * uniform(generator);
    if (type.row_header_bytes == 4) std::memcpy(row, &of_row, sizeof(of_row));
    if (type.row_header_bytes == 2) put_half(row, of_row);
    if (type.row_header_bytes > 0) continue;
    for (std::size_t b = 0; b < num_blocks; ++b) {
      put_scale(type, row + b * type.bytes_per_block, 1e-2F * uniform(generator));
    }
  }
  return out;
}

}  // namespace vernal::cpu_avx2

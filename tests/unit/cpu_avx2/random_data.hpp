// Test inputs from fixed seeds.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "kernels/packed_weights.hpp"
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
inline float minimum_factor(WeightFormat format) {
  switch (format) {
    case WeightFormat::kQ4_1:
      return -7.5F;
    case WeightFormat::kQ5_1:
      return -15.5F;
    case WeightFormat::kQ4K:
      return 7.5F;
    case WeightFormat::kQ5K:
      return 15.5F;
    default:
      return 0.0F;
  }
}

/// Random codes with scales of a useful size, rows as a file stores them.
inline std::vector<std::byte> random_weights(WeightFormat format, std::int64_t rows,
                                             std::int64_t columns, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(0.5F, 1.5F);
  const BlockType& type = *find_block_type(weight_format_id(format));
  const auto row_bytes = static_cast<std::size_t>(stored_row_bytes(format, columns));
  std::vector<std::byte> out(static_cast<std::size_t>(rows) * row_bytes);
  for (std::byte& b : out) b = static_cast<std::byte>(generator() & 255U);
  const auto put_half = [&](std::byte* p, float value) {
    const std::uint16_t half = f16_from_float(value);
    std::memcpy(p, &half, sizeof(half));
  };
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  for (std::int64_t r = 0; r < rows; ++r) {
    std::byte* row = out.data() + at(r) * row_bytes;
    if (type.row_header_bytes == 4) {
      const float scale = 1e-3F * uniform(generator);
      std::memcpy(row, &scale, sizeof(scale));
      continue;
    }
    for (std::int64_t b = 0; b < columns / static_cast<std::int64_t>(type.weights_per_block); ++b) {
      std::byte* block = row + at(b) * type.bytes_per_block;
      const float value = 1e-2F * uniform(generator);
      if (format == WeightFormat::kF32) {
        std::memcpy(block, &value, sizeof(value));
      } else if (format == WeightFormat::kBf16) {
        block[1] = static_cast<std::byte>((std::to_integer<unsigned>(block[1]) & 0x80U) | 0x3CU);
      } else if (format == WeightFormat::kF16) {
        put_half(block, (generator() & 1U) != 0 ? value : -value);
      } else if (format == WeightFormat::kQ6K) {
        put_half(block + 208, value);
      } else {
        put_half(block, value);
        if (minimum_factor(format) != 0.0F) {
          put_half(block + 2, value * minimum_factor(format));
        }
      }
    }
  }
  return out;
}

}  // namespace vernal::cpu_avx2

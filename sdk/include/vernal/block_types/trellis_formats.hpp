// The trellis formats: a code is the seed of a run of values, see trellis_value(). The row header
// is D as f32.
//
// Comments list the fields of a block: "seeds@4" is a field of seeds that begins at byte 4 of the
// block. products.hpp says what D and the scales are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "vernal/block_types/codebooks.hpp"
#include "vernal/block_types/products.hpp"

namespace vernal::block_products {

/// Scales@0, as codes of kIq4Values in planes of 4 bytes; seeds of eight weights@4.
struct Iq2Kt {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 68;
  static constexpr std::uint32_t kRowHeader = 4;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f32_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return kIq4Values[0][block_fields::plane_at(block, 4, 4, group)];
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    return trellis_value(block_fields::u16_at(block, 4 + w / 8 * 2) + 4096U, w % 8);
  }
};

/// Scales@0 in planes of 4 bytes, seeds of eight weights@4, signs@68. A weight is the magnitude of
/// its value with its sign.
struct Iq3Kt {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 100;
  static constexpr std::uint32_t kRowHeader = 4;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f32_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return static_cast<std::int32_t>(block_fields::plane_at(block, 4, 4, group));
  }
  static std::int32_t magnitude(const std::byte* block, std::uint32_t w) {
    return std::abs(trellis_value(block_fields::u16_at(block, 4 + w / 8 * 2) + 4096U, w % 8));
  }
  static bool is_negative(const std::byte* block, std::uint32_t w) {
    return block_fields::plane_at(block + 68, 32, 1, w) != 0;
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    return negated_if(is_negative(block, w), magnitude(block, w));
  }
};

/// A word for each group of 32 weights@0, low eight bits of the seeds of four weights@32, four more
/// bits of the seeds@96. A word holds a bit that is added to all seeds of the group as 32768, seven
/// bits of scale, and three high bits of each of the eight seeds.
struct Iq4Kt {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 128;
  static constexpr std::uint32_t kRowHeader = 4;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f32_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return static_cast<std::int32_t>(block_fields::byte_at(block, 4 * group) >> 1U) - 64;
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t word = block_fields::u32_at(block, w / 32 * 4);
    const std::uint32_t middle = block_fields::plane_at(block + 96, 32, 4, w / 4) << 8U;
    const std::uint32_t high = (word >> (8 + w / 4 % 8 * 3) & 7U) << 12U;
    const std::uint32_t low = block_fields::byte_at(block, 32 + w / 4);
    const std::uint32_t seed = (low | middle | high) + 4096U + 32768U * (word & 1U);
    return trellis_value(seed, w % 4);
  }
};

}  // namespace vernal::block_products

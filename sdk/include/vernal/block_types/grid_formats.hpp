// The grid formats: a code stands for the magnitudes of four or eight weights at once (grids.hpp);
// signs are stored apart.
//
// Comments list the fields of a block: "scales@66" is a field of scales that begins at byte 66 of
// the block. products.hpp says what D and the scales are. "Seven signs" stand for eight weights:
// see even_signs().
#pragma once

#include <cstddef>
#include <cstdint>

#include "vernal/block_types/grids.hpp"
#include "vernal/block_types/products.hpp"

namespace vernal::block_products {

/// Weight w of a code of a two-bit grid. A code stands for eight weights; `signs` has a bit for
/// each.
template <class Grid>
constexpr std::int32_t iq2_code(const Grid& grid, std::uint32_t code, std::uint32_t signs,
                                std::uint32_t w) noexcept {
  const std::int32_t magnitude = kIq2Magnitudes[grid.level(code, w % 8)];
  return negated_if((signs >> w % 8 & 1U) != 0, magnitude);
}

/// D f16@0. Eight bytes for each group of 32 weights@2: four codes, and a word with four times
/// seven signs and the scale in its upper four bits.
struct Iq2Xxs {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 66;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0) / 8.0F;
  }
  static std::uint32_t signs_and_scale(const std::byte* block, std::uint32_t group) {
    return block_fields::u32_at(block, 2 + 8 * group + 4);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(signs_and_scale(block, group) >> 28U);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t index = block_fields::byte_at(block, 2 + w / 32 * 8 + w / 8 % 4);
    const std::uint32_t stored = signs_and_scale(block, w / 32) >> w / 8 % 4 * 7 & 127U;
    return iq2_code(kIq2XxsGrid, index, even_signs(stored), w);
  }
};

/// D f16@0, words with a nine-bit code and seven signs@2, scales@66.
struct Iq2Xs {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 74;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0) / 8.0F;
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(block_fields::plane_at(block + 66, 1, 4, group));
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t word = block_fields::u16_at(block, 2 + w / 8 * 2);
    return iq2_code(kIq2XsGrid, word & 511U, even_signs(word >> 9U), w);
  }
};

/// D f16@0, low eight bits of the codes@2, signs@34, high two bits@66, scales@74.
struct Iq2S {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 82;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0) / 8.0F;
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(block_fields::plane_at(block + 74, 1, 4, group));
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t high = block_fields::plane_at(block + 66, 1, 2, w / 8);
    const std::uint32_t index = block_fields::byte_at(block, 2 + w / 8) | high << 8U;
    return iq2_code(kIq2SGrid, index, block_fields::byte_at(block, 34 + w / 8), w);
  }
};

/// D f16@0, codes of four weights@2, words with four times seven signs and the scale in the upper
/// four bits@66.
struct Iq3Xxs {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 98;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0) / 4.0F;
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(block_fields::u32_at(block, 66 + 4 * group) >> 28U);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t index = block_fields::byte_at(block, 2 + w / 4);
    const std::uint32_t stored =
        block_fields::u32_at(block, 66 + w / 32 * 4) >> w / 8 % 4 * 7 & 127U;
    return negated_if((even_signs(stored) >> w % 8 & 1U) != 0,
                      kIq3XxsMagnitudes[kIq3XxsGrid.level(index, w % 4)]);
  }
};

/// D f16@0, low eight bits of the codes of four weights@2, ninth bits@66, signs@74, scales@106.
struct Iq3S {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 110;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(block_fields::plane_at(block + 106, 1, 4, group));
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t ninth = block_fields::plane_at(block + 66, 1, 1, w / 4);
    const std::uint32_t index = block_fields::byte_at(block, 2 + w / 4) | ninth << 8U;
    return negated_if(block_fields::plane_at(block + 74, 1, 1, w) != 0,
                      odd(kIq3SGrid.level(index, w % 4)));
  }
};

/// Weight w of a code of a one-bit grid: -1, 0 or 1, moved up or down by an eighth. The result is
/// in eighths, so that it is an integer.
constexpr std::int32_t iq1_code(std::uint32_t code, bool is_lowered, std::uint32_t w) noexcept {
  const auto level = static_cast<std::int32_t>(kIq1Grid.level(code, w % 8));
  return 8 * (level - 1) + (is_lowered ? -1 : 1);
}

/// D f16@0, low eight bits of the codes@2, a word for each group of 32 weights@34. The word holds
/// three high bits of each of four codes, three bits of scale, and the direction of the move.
struct Iq1S {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 50;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0) / 8.0F;
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return odd(block_fields::byte_at(block, 34 + 2 * group + 1) >> 4U & 7U);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t word = block_fields::u16_at(block, 34 + w / 32 * 2);
    const std::uint32_t high = word >> w / 8 % 4 * 3 & 7U;
    return iq1_code(block_fields::byte_at(block, 2 + w / 8) | high << 8U, word >> 15U != 0, w);
  }
};

/// Low eight bits of the codes@0, four bits for each code@32: three high bits and the direction of
/// the move. Four words@48: each holds four times three bits of scale, and a quarter of the bits of
/// D in its upper four bits.
struct Iq1M {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 56;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    std::uint32_t pattern = 0;
    for (std::uint32_t k = 0; k < 4; ++k) {
      pattern |= block_fields::byte_at(block, 48 + 2 * k + 1) >> 4U << 4 * k;
    }
    return float_from_f16(static_cast<std::uint16_t>(pattern)) / 8.0F;
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    const std::uint32_t word = block_fields::u16_at(block, 48 + group / 4 * 2);
    return odd(word >> group % 4 * 3 & 7U);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t bits = block_fields::plane_at(block + 32, 1, 4, w / 8);
    const std::uint32_t index = block_fields::byte_at(block, w / 8) | (bits & 7U) << 8U;
    return iq1_code(index, (bits & 8U) != 0, w);
  }
};

}  // namespace vernal::block_products

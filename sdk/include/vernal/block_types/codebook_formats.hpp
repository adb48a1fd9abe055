// The formats that look up the values of their codes in a table, and q3_K, whose codes are the
// values. A table has one or two rows of values. With two, each group of weights stores one bit,
// its choice, that picks the row.
//
// Comments list the fields of a block: "scales@4" is a field of scales that begins at byte 4 of the
// block. products.hpp says what D and the scales are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vernal/block_types/codebooks.hpp"
#include "vernal/block_types/products.hpp"

namespace vernal::block_products {

/// The number with four low bits and one or two high bits, minus half of its range.
constexpr std::int32_t centred(std::uint32_t low, std::uint32_t high, std::uint32_t half) noexcept {
  return static_cast<std::int32_t>(low | high << 4U) - static_cast<std::int32_t>(half);
}

/// The value of a code in the row of values that `choice` picks.
template <class Values>
constexpr std::int32_t chosen(const Values& values, std::uint32_t code, std::int32_t shift,
                              std::uint32_t choice) noexcept {
  return values[code] + (choice != 0 ? shift : 0);
}

/// Third bits of the codes@0, low two bits@32, low four bits of the scales@96, high two@104,
/// D f16@108.
struct Q3K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 110;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 108);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 96, 8, 4, group),
                   block_fields::plane_at(block + 104, 4, 2, group), 32);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t third = block_fields::plane_at(block, 32, 1, w) << 2U;
    return static_cast<std::int32_t>(block_fields::plane_at(block + 32, 32, 2, w) | third) - 4;
  }
};

/// D f16@0, choices@2, scales@4, codes@12.
struct Iq2K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 76;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 4, 1, 4, group), 0, 8);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    return chosen(kIq2Values, block_fields::plane_at(block + 12, 32, 2, w), kIq2Shift,
                  block_fields::plane_at(block + 2, 1, 1, w / 16));
  }
};

/// D f16@0, choices@2, signs of the scales@4, magnitudes of the scales (odd)@6, low two bits of the
/// codes@14, third bits@78.
struct Iq3K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 110;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return negated_if(block_fields::plane_at(block + 4, 1, 1, group) != 0,
                      odd(block_fields::plane_at(block + 6, 1, 4, group)));
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t third = block_fields::plane_at(block + 78, 32, 1, w) << 2U;
    return chosen(kIq3Values, block_fields::plane_at(block + 14, 32, 2, w) | third, kIq3Shift,
                  block_fields::plane_at(block + 2, 1, 1, w / 16));
  }
};

/// D f16@0, choices@2, high two bits of the scales@4, low four bits@8, codes@16.
struct Iq4K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 144;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 8, 1, 4, group),
                   block_fields::plane_at(block + 4, 1, 2, group), 32);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t choice = block_fields::plane_at(block + 2, 1, 1, w / 16);
    return kIq4Values[choice][block_fields::plane_at(block + 16, 16, 4, w)];
  }
};

/// As iq4_k up to byte 16. Low four bits of the codes@16, in planes of 32 bytes; fifth bits@144.
struct Iq5K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 176;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte* row, const std::byte* block) { return Iq4K::unit(row, block); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return Iq4K::scale(block, group);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t fifth = block_fields::plane_at(block + 144, 32, 1, w) << 4U;
    return chosen(kIq5Values, block_fields::plane_at(block + 16, 32, 4, w) | fifth, kIq5Shift,
                  block_fields::plane_at(block + 2, 1, 1, w / 16));
  }
};

/// D f16@0, choices@2, scales as signed bytes@4, low four bits of the codes@20, high two bits@148.
struct Iq6K {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 212;
  static constexpr std::uint32_t kRowHeader = 0;
  static constexpr std::uint32_t kGroup = 16;

  static float unit(const std::byte*, const std::byte* block) {
    return block_fields::f16_at(block, 0);
  }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return block_fields::signed_byte_at(block, 4 + group);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t high = block_fields::plane_at(block + 148, 32, 2, w) << 4U;
    return chosen(kIq6Values, block_fields::plane_at(block + 20, 32, 4, w) | high, kIq6Shift,
                  block_fields::plane_at(block + 2, 1, 1, w / 16));
  }
};

/// Row header: D f16. Block: choices@0, fifth bits of the scales@1, low four bits of the scales@2,
/// codes@6.
struct Iq2Ks {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 70;
  static constexpr std::uint32_t kRowHeader = 2;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f16_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 2, 1, 4, group),
                   block_fields::plane_at(block, 1, 1, 8 + group), 16);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    return chosen(kIq2Values, block_fields::plane_at(block + 6, 32, 2, w), kIq2Shift,
                  block_fields::plane_at(block, 1, 1, w / 32));
  }
};

/// Row header: D f16. Block: fifth bits of the scales@0, choices@1, low four bits of the scales@2
/// in planes of 4 bytes, low two bits of the codes@6, third bits@70.
struct Iq3Ks {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 102;
  static constexpr std::uint32_t kRowHeader = 2;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f16_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 2, 4, 4, group),
                   block_fields::plane_at(block, 1, 1, group), 16);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t third = block_fields::plane_at(block + 70, 32, 1, w) << 2U;
    return chosen(kIq3Values, block_fields::plane_at(block + 6, 32, 2, w) | third, kIq3Shift,
                  block_fields::plane_at(block, 1, 1, 8 + w / 32));
  }
};

/// Row header: D f16. Block: high two bits of the scales@0, low four bits@2 in planes of 4 bytes,
/// low four bits of the codes@6, fifth bits@70. A code belongs to two neighbouring weights.
struct Iq2Kl {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 86;
  static constexpr std::uint32_t kRowHeader = 2;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f16_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return centred(block_fields::plane_at(block + 2, 4, 4, group),
                   block_fields::plane_at(block, 1, 2, group), 32);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t fifth = block_fields::plane_at(block + 70, 16, 1, w / 2) << 4U;
    return kIq2KlPairs[block_fields::plane_at(block + 6, 16, 4, w / 2) | fifth][w % 2];
  }
};

/// The scale in a byte whose lowest bit is the choice of its group. The scale is odd.
constexpr std::int32_t scale_of_byte(std::uint32_t byte) noexcept {
  return static_cast<std::int32_t>(byte & 254U) - 127;
}

/// Row header: D f32. Block: scale bytes@0, low four bits of the codes@8, fifth bits@136.
struct Iq5Ks {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 168;
  static constexpr std::uint32_t kRowHeader = 4;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f32_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    return scale_of_byte(block_fields::byte_at(block, group));
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t fifth = block_fields::plane_at(block + 136, 32, 1, w) << 4U;
    return chosen(kIq5Values, block_fields::plane_at(block + 8, 32, 4, w) | fifth, kIq5Shift,
                  block_fields::byte_at(block, w / 32) & 1U);
  }
};

/// Row header: D f32. Block: 64 words, eight for each group of 32 weights. The lowest bits of the
/// eight words make the scale byte of the group. The other fifteen bits of each word and a zero
/// below them, each xored with the bit above it, make two of the group's sixteen bytes of codes.
struct Iq4Kss {
  static constexpr std::uint32_t kWeights = 256;
  static constexpr std::uint32_t kBytes = 128;
  static constexpr std::uint32_t kRowHeader = 4;
  static constexpr std::uint32_t kGroup = 32;

  static float unit(const std::byte* row, const std::byte*) { return block_fields::f32_at(row, 0); }
  static std::int32_t scale(const std::byte* block, std::uint32_t group) {
    std::uint32_t byte = 0;
    for (std::uint32_t k = 0; k < 8; ++k) {
      byte |= (block_fields::byte_at(block, 16 * group + 2 * k) & 1U) << k;
    }
    return scale_of_byte(byte);
  }
  static std::int32_t code(const std::byte* block, std::uint32_t w) {
    const std::uint32_t group = w / 32 * 16;  // bytes
    const std::uint32_t word = block_fields::u16_at(block, group + w % 16 / 2 * 2) & 0xFFFEU;
    const std::uint32_t bits = (word ^ word >> 1U) >> w % 2 * 8 >> w % 32 / 16 * 4 & 15U;
    return kIq4Values[block_fields::byte_at(block, group) & 1U][bits];
  }
};

}  // namespace vernal::block_products

// The formats with a table of values for their codes, and q3_K, whose codes are the values. One bit
// of each group, its choice, picks one of two rows of values. Offsets count from the start of a
// block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vernal/block_types/codebooks.hpp"
#include "vernal/block_types/products.hpp"

namespace vernal::block_products {

/// A number of `bits` low bits and one or two high ones, minus half of its range.
constexpr std::int32_t centred(std::uint32_t low, std::uint32_t high, std::uint32_t half) noexcept {
  return static_cast<std::int32_t>(low | high << 4U) - static_cast<std::int32_t>(half);
}

/// The value of a code in the row that `choice` picks.
template <class Values>
constexpr std::int32_t chosen(const Values& values, std::uint32_t code, std::int32_t shift,
                              std::uint32_t choice) noexcept {
  return values[code] + (choice != 0 ? shift : 0);
}

/// Third bits@0, low two bits@32, scales@96 (low four bits in eight bytes, high two in four), D
/// f16@108.
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

/// D f16@0, choices@2, signs of the scales@4, scales@6 (odd), low two bits@14, third bits@78.
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

/// D f16@0, choices@2, high two bits of the scales@4, low four@8, codes@16.
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

/// As iq4_k, codes of 32 weights in the low and high halves of 32 bytes, fifth bits@144.
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

/// D f16@0, choices@2, signed scales@4, low four bits@20, high two@148.
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

/// Row header D f16; block: choices@0 and above them fifth bits of the scales, scales@2, codes@6.
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

/// Row header D f16; block: fifth bits of the scales@0 and above them choices, scales@2 (low halves
/// first), low two bits@6, third bits@70.
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

/// Row header D f16; block: high two bits of the scales@0, low four@2 (low halves first), low four
/// bits of the codes@6, fifth bits@70. A code belongs to two neighbouring weights.
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

/// A byte whose lowest bit is the choice of its group and whose others are an odd scale.
constexpr std::int32_t scale_of_byte(std::uint32_t byte) noexcept {
  return static_cast<std::int32_t>(byte & 254U) - 127;
}

/// Row header D f32; block: scale bytes@0, low four bits@8, fifth bits@136.
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

/// Row header D f32; block: 64 words, eight for each group of 32 weights. The lowest bits of the
/// eight make the scale byte. The other fifteen bits, each xored with the one above it, are sixteen
/// bytes of codes with the lowest bit of every second byte left out.
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

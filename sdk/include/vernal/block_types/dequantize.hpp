// Readers of single rows, one function per storage format: the definition of what the bytes mean.
// Written to be read beside sdk/spec/formats.md, not to be fast. All arithmetic is IEEE single
// precision with one rounding per written operation; where a sum follows a product, the product is
// exact, so a compiler that fuses them changes nothing. All fields are little-endian and unaligned.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "vernal/block_types/float16.hpp"

namespace vernal {

namespace block_fields {

constexpr std::uint32_t byte_at(const std::byte* block, std::uint32_t offset) noexcept {
  return std::to_integer<std::uint32_t>(block[offset]);
}

constexpr std::int32_t signed_byte_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::int8_t>(block[offset]);
}

constexpr std::uint16_t u16_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::uint16_t>(byte_at(block, offset) | byte_at(block, offset + 1) << 8U);
}

constexpr std::uint32_t u32_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::uint32_t>(u16_at(block, offset)) |
         static_cast<std::uint32_t>(u16_at(block, offset + 2)) << 16U;
}

constexpr float f16_at(const std::byte* block, std::uint32_t offset) noexcept {
  return float_from_f16(u16_at(block, offset));
}

constexpr float f32_at(const std::byte* block, std::uint32_t offset) noexcept {
  return std::bit_cast<float>(u32_at(block, offset));
}

/// Number `index` of a field of `width`-bit numbers stored in planes: a run of `run` bytes holds
/// `run` numbers in its lowest bits, the next `run` in the bits above, and so on; then the next run
/// of bytes follows. With run 1 the numbers simply fill byte after byte from the lowest bits.
constexpr std::uint32_t plane_at(const std::byte* field, std::uint32_t run, std::uint32_t width,
                                 std::uint32_t index) noexcept {
  const std::uint32_t numbers_per_run = run * (8U / width);
  const std::uint32_t byte = index / numbers_per_run * run + index % run;
  const std::uint32_t plane = index % numbers_per_run / run;
  return byte_at(field, byte) >> plane * width & ((1U << width) - 1U);
}

/// The 4-bit code of weight w in fields of 16, 32 or 64 bytes per two planes.
constexpr std::int32_t nibble_at(const std::byte* field, std::uint32_t run,
                                 std::uint32_t w) noexcept {
  return static_cast<std::int32_t>(plane_at(field, run, 4, w));
}

/// Scale and minimum of one group of 32 weights, six bits each: eight pairs packed in twelve bytes.
struct SixBitPair {
  std::uint32_t scale;
  std::uint32_t minimum;
};

constexpr SixBitPair six_bit_pair_at(const std::byte* packed, std::uint32_t group) noexcept {
  if (group < 4) return {byte_at(packed, group) & 63U, byte_at(packed, group + 4) & 63U};
  const std::uint32_t low = byte_at(packed, group + 4);
  return {(low & 15U) | byte_at(packed, group - 4) >> 6U << 4U,
          low >> 4U | byte_at(packed, group) >> 6U << 4U};
}

/// Calls read(block, w) for each weight of each block of a row and stores what it returns. The
/// block is a copy: the compiler then knows that storing floats does not change it, and reads each
/// field once.
template <std::uint32_t kWeights, std::uint32_t kBytes, typename Read>
void for_each_weight(const std::byte* blocks, std::uint64_t columns, float* out, Read read) {
  std::array<std::byte, kBytes> block;
  for (std::uint64_t first = 0; first < columns; first += kWeights) {
    std::copy_n(blocks, kBytes, block.begin());
    for (std::uint32_t w = 0; w < kWeights; ++w) *out++ = read(block.data(), w);
    blocks += kBytes;
  }
}

}  // namespace block_fields

/// The values that four-bit codes stand for in iq4_nl, iq4_xs and (either row) iq4_ks.
inline constexpr std::array<std::array<std::int8_t, 16>, 2> kIq4Values{{
    {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113},
    {-123, -100, -79, -61, -45, -31, -18, -6, 5, 17, 29, 42, 57, 73, 93, 117},
}};

inline void dequantize_f32(const std::byte* row, std::uint64_t columns, float* out) {
  block_fields::for_each_weight<1, 4>(row, columns, out, [](const std::byte* b, std::uint32_t) {
    return block_fields::f32_at(b, 0);
  });
}

inline void dequantize_f16(const std::byte* row, std::uint64_t columns, float* out) {
  block_fields::for_each_weight<1, 2>(row, columns, out, [](const std::byte* b, std::uint32_t) {
    return block_fields::f16_at(b, 0);
  });
}

inline void dequantize_bf16(const std::byte* row, std::uint64_t columns, float* out) {
  block_fields::for_each_weight<1, 2>(row, columns, out, [](const std::byte* b, std::uint32_t) {
    return float_from_bf16(block_fields::u16_at(b, 0));
  });
}

/// D f16@0, codes@2: D * (code - 8).
inline void dequantize_q4_0(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 18>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return f16_at(b, 0) * static_cast<float>(nibble_at(b + 2, 16, w) - 8);
  });
}

/// D f16@0, M f16@2, codes@4: D * code + M.
inline void dequantize_q4_1(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 20>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return f16_at(b, 0) * static_cast<float>(nibble_at(b + 4, 16, w)) + f16_at(b, 2);
  });
}

/// D f16@0, fifth bits@2, codes@6: D * (code - 16).
inline void dequantize_q5_0(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 22>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const auto fifth = static_cast<std::int32_t>(plane_at(b + 2, 1, 1, w) << 4U);
    return f16_at(b, 0) * static_cast<float>((nibble_at(b + 6, 16, w) | fifth) - 16);
  });
}

/// D f16@0, M f16@2, fifth bits@4, codes@8: D * code + M.
inline void dequantize_q5_1(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 24>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const auto fifth = static_cast<std::int32_t>(plane_at(b + 4, 1, 1, w) << 4U);
    return f16_at(b, 0) * static_cast<float>(nibble_at(b + 8, 16, w) | fifth) + f16_at(b, 2);
  });
}

/// D f16@0, signed codes@2: D * code.
inline void dequantize_q8_0(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 34>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return f16_at(b, 0) * static_cast<float>(signed_byte_at(b, 2 + w));
  });
}

/// D f16@0, M f16@2, scales and minimums@4, codes@16: (D * scale) * code - M * minimum.
inline void dequantize_q4_k(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 144>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const SixBitPair pair = six_bit_pair_at(b + 4, w / 32);
    const float scale = f16_at(b, 0) * static_cast<float>(pair.scale);
    const float minimum = f16_at(b, 2) * static_cast<float>(pair.minimum);
    return scale * static_cast<float>(nibble_at(b + 16, 32, w)) - minimum;
  });
}

/// D f16@0, M f16@2, scales and minimums@4, fifth bits@16, codes@48: (D * scale) * code - M *
/// minimum.
inline void dequantize_q5_k(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 176>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const SixBitPair pair = six_bit_pair_at(b + 4, w / 32);
    const float scale = f16_at(b, 0) * static_cast<float>(pair.scale);
    const float minimum = f16_at(b, 2) * static_cast<float>(pair.minimum);
    const auto fifth = static_cast<std::int32_t>(plane_at(b + 16, 32, 1, w) << 4U);
    return scale * static_cast<float>(nibble_at(b + 48, 32, w) | fifth) - minimum;
  });
}

/// Low four bits@0, high two bits@128, signed scales@192, D f16@208: D * scale * (code - 32).
inline void dequantize_q6_k(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 210>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const auto high = static_cast<std::int32_t>(plane_at(b + 128, 32, 2, w) << 4U);
    const std::int32_t code = (nibble_at(b, 64, w) | high) - 32;
    const float scale = f16_at(b, 208) * static_cast<float>(signed_byte_at(b, 192 + w / 16));
    return scale * static_cast<float>(code);
  });
}

/// D f16@0, codes@2: D * value of the code.
inline void dequantize_iq4_nl(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 18>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return f16_at(b, 0) * static_cast<float>(kIq4Values[0][plane_at(b + 2, 16, 4, w)]);
  });
}

/// D f16@0, high scale bits u16@2, low scale bits@4, codes@8: D * (scale - 32) * value of the code.
inline void dequantize_iq4_xs(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 136>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const std::uint32_t group = w / 32;
    const std::uint32_t high = plane_at(b + 2, 1, 2, group) << 4U;
    const auto bits = static_cast<std::int32_t>(plane_at(b + 4, 1, 4, group) | high);
    const float scale = f16_at(b, 0) * static_cast<float>(bits - 32);
    return scale * static_cast<float>(kIq4Values[0][plane_at(b + 8, 16, 4, w)]);
  });
}

/// Row header D f32; block: scale bytes@0, codes@8. The lowest bit of a scale byte picks the row of
/// values. Two roundings in this order: D * scale, then times the value.
inline void dequantize_iq4_ks(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  const float row_scale = f32_at(row, 0);
  for_each_weight<256, 136>(
      row + 4, columns, out, [row_scale](const std::byte* b, std::uint32_t w) {
        const std::uint32_t bits = byte_at(b, w / 32);
        const float scale =
            row_scale * static_cast<float>(static_cast<std::int32_t>(bits & 254U) - 127);
        return scale * static_cast<float>(kIq4Values[bits & 1U][plane_at(b + 8, 16, 4, w)]);
      });
}

}  // namespace vernal

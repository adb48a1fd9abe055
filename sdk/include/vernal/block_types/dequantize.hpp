// Readers of single rows, one function for each storage format. They define what the bytes mean.
// They are meant to be read beside sdk/spec/formats.md, not to be fast. All arithmetic is IEEE
// single precision with one rounding for each operation that is written. Where a sum follows a
// product, the product is exact, so a compiler that fuses them changes nothing. All fields are
// little-endian and unaligned.
//
// Comments list the fields of a block and the formula: "codes@2" is a field of codes that begins at
// byte 2 of the block. D and M are floats of the block or row.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "vernal/block_types/codebook_formats.hpp"
#include "vernal/block_types/codebooks.hpp"
#include "vernal/block_types/fields.hpp"
#include "vernal/block_types/grid_formats.hpp"
#include "vernal/block_types/trellis_formats.hpp"

namespace vernal {

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

/// D f16@0, high two bits@2, low four bits@10: D * (code - 32). A byte of high bits holds those of
/// weights j, j + 16, j + 8 and j + 24, in this order.
inline void dequantize_q6_0(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 26>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const std::uint32_t shift = w / 8 % 2 * 4 + w / 16 * 2;
    const auto high = static_cast<std::int32_t>((byte_at(b, 2 + w % 8) >> shift & 3U) << 4U);
    return f16_at(b, 0) * static_cast<float>((nibble_at(b + 10, 16, w) | high) - 32);
  });
}

/// D f16@0, signed codes@2: D * code.
inline void dequantize_q8_0(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 34>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return f16_at(b, 0) * static_cast<float>(signed_byte_at(b, 2 + w));
  });
}

/// Bytes with scale and minimum of 16 weights@0, codes@16, D f16@80, M f16@82:
/// (D * scale) * code - M * minimum.
inline void dequantize_q2_k(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 84>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const std::uint32_t pair = byte_at(b, w / 16);
    const float scale = f16_at(b, 80) * static_cast<float>(pair & 15U);
    const float minimum = f16_at(b, 82) * static_cast<float>(pair >> 4U);
    return scale * static_cast<float>(plane_at(b + 16, 32, 2, w)) - minimum;
  });
}

/// D f16@0, M f16@2, scales and minimums@4, codes@16:
/// (D * scale) * code - M * minimum.
inline void dequantize_q4_k(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<256, 144>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    const SixBitPair pair = six_bit_pair_at(b + 4, w / 32);
    const float scale = f16_at(b, 0) * static_cast<float>(pair.scale);
    const float minimum = f16_at(b, 2) * static_cast<float>(pair.minimum);
    return scale * static_cast<float>(nibble_at(b + 16, 32, w)) - minimum;
  });
}

/// D f16@0, M f16@2, scales and minimums@4, fifth bits@16, codes@48:
/// (D * scale) * code - M * minimum.
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

/// Low four bits of the codes@0, high two bits@128, scales as signed bytes@192, D f16@208:
/// (D * scale) * (code - 32).
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

/// D f16@0, high two bits of the scales@2, low four bits@4, codes@8:
/// (D * (scale - 32)) * value of the code.
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

/// Row header: D f32. Block: scale bytes@0, codes@8: (D * scale) * value of the code, rounded after
/// each product. The lowest bit of a scale byte picks the row of values.
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

/// The byte of an mxfp4 scale as a float: 2^(byte - 128). The results for bytes 0 and 1 are
/// subnormal; for 255 it is 2^127.
constexpr float mxfp4_scale(std::uint32_t byte) noexcept {
  return std::bit_cast<float>(byte < 2 ? 0x00200000U << byte : (byte - 1U) << 23U);
}

/// Exponent@0, codes@1: 2^(exponent - 128) * doubled value of the code (kMxfp4Values).
inline void dequantize_mxfp4(const std::byte* row, std::uint64_t columns, float* out) {
  using namespace block_fields;
  for_each_weight<32, 17>(row, columns, out, [](const std::byte* b, std::uint32_t w) {
    return mxfp4_scale(byte_at(b, 0)) * static_cast<float>(kMxfp4Values[plane_at(b + 1, 16, 4, w)]);
  });
}

/// Like dequantize_products(), but the sign is applied to the float, so that a magnitude of zero
/// becomes -0 if its sign bit is set.
inline void dequantize_iq3_kt(const std::byte* row, std::uint64_t columns, float* out) {
  using Format = block_products::Iq3Kt;
  for_each_block<Format>(row, columns, [&out](const std::byte* of_row, const std::byte* block) {
    for (std::uint32_t w = 0; w < Format::kWeights; ++w) {
      const float scale =
          Format::unit(of_row, block) * static_cast<float>(Format::scale(block, w / 32));
      const float size = scale * static_cast<float>(Format::magnitude(block, w));
      *out++ = Format::is_negative(block, w) ? -size : size;
    }
  });
}

}  // namespace vernal

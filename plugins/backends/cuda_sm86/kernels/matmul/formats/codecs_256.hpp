// Codecs of formats in blocks of 256.
#pragma once

#include "kernels/matmul/formats/codecs.hpp"

namespace vernal::cuda_sm86 {

/// q4_k and q5_k: D and M as f16, then eight pairs of a scale and a minimum, 16 bytes in all.
struct SixBitScales : BlocksOf256 {
  static constexpr int kScaleBytes = kTileRows * 16;
  static constexpr bool kHasMinimum = true;
  /// One row's: a byte for each group.
  struct Row {
    uint32_t scales[2];
    uint32_t minima[2];
    float unit;          ///< D
    float minimum_unit;  ///< -M
  };
  struct Scales {
    Row low;
    Row high;
  };

  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    const auto* const rows = reinterpret_cast<const uint4*>(tile);
    return {spread(rows[g]), spread(rows[g + 8])};
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {scale_of(scales.low, group), scale_of(scales.high, group)};
  }
  __device__ static RowPair minimum(const Scales& scales, int group) {
    return {minimum_of(scales.low, group), minimum_of(scales.high, group)};
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 16 * row, block, 16);
  }

 protected:
  __device__ static float raw_affine(const unsigned char* block, int w, uint32_t code) {
    const Row row = spread(
        make_uint4(raw_u32(block), raw_u32(block + 4), raw_u32(block + 8), raw_u32(block + 12)));
    return scale_of(row, w / 32) * static_cast<float>(code) + minimum_of(row, w / 32);
  }

 private:
  /// Of groups 4 to 7 the upper two bits stand above the numbers of groups 0 to 3, the lower four in
  /// the last word.
  __device__ static Row spread(const uint4& packed) {
    return {{packed.y & 0x3F3F3F3FU, (packed.w & 0x0F0F0F0FU) | (packed.y >> 2 & 0x30303030U)},
            {packed.z & 0x3F3F3F3FU, (packed.w >> 4 & 0x0F0F0F0FU) | (packed.z >> 2 & 0x30303030U)},
            float_of_half(static_cast<uint16_t>(packed.x)),
            -float_of_half(static_cast<uint16_t>(packed.x >> 16))};
  }
  __device__ static float scale_of(const Row& row, int group) {
    return row.unit * byte_less(row.scales[group / 4], group % 4, 0);
  }
  __device__ static float minimum_of(const Row& row, int group) {
    return row.minimum_unit * byte_less(row.minima[group / 4], group % 4, 0);
  }
};

struct Q4K : SixBitScales {
  static constexpr int kRawBytes = 144;
  using Codes = Nibbles<4>;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 16, 32, 4, w);
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_affine(block, w, raw_code(block, w));
  }
  __device__ static void unpack(const Chunk<1>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
};

struct Q5K : SixBitScales {
  static constexpr int kRawBytes = 176;
  using Codes = FiveBits;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 48, 32, 4, w) | raw_plane(block + 16, 32, 1, w) << 4;
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_affine(block, w, raw_code(block, w));
  }
  __device__ static void unpack(const Chunk<1>& chunk, const Codes::Plane& plane, const Scales&,
                                const Codes::Table&, int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, plane, group, a);
  }
};

struct Q6K : ByteScales<uint16_t> {
  static constexpr int kRawBytes = 210;
  using Codes = SixBits;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block, 64, 4, w) | raw_plane(block + 128, 32, 2, w) << 4;
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f16(block + 208) * static_cast<float>(static_cast<int8_t>(block[192 + w / 16])) *
           (static_cast<float>(raw_code(block, w)) - 32.0F);
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 16 * row, block + 192, 16);
    *reinterpret_cast<uint16_t*>(tile + kUnitsAt + 2 * row) =
        static_cast<uint16_t>(raw_u16(block + 208));
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    return load_byte_scales(tile, g, Codes::kUnit);
  }
  __device__ static void unpack(const Chunk<1>& chunk, const Codes::Plane& plane, const Scales&,
                                const Codes::Table&, int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, plane, group, a);
  }
};

struct Iq4Xs : BlocksOf256 {
  static constexpr int kRawBytes = 136;
  static constexpr int kScaleBytes = kTileRows * 8;
  using Codes = TableNibbles<4>;
  struct Scales {
    uint2 low;  ///< D f16, upper bits of the scales; lower bits
    uint2 high;
  };

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 8, 16, 4, w);
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return scale_of(make_uint2(raw_u32(block), raw_u32(block + 4)), w / 32) *
           iq4_value(raw_code(block, w));
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 8 * row, block, 8);
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    const auto* const rows = reinterpret_cast<const uint2*>(tile);
    return {rows[g], rows[g + 8]};
  }
  __device__ static void unpack(const Chunk<1>& chunk, NoPlane, const Scales&,
                                const Codes::Table& table, int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, group, table, a);
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {scale_of(scales.low, group), scale_of(scales.high, group)};
  }

 private:
  __device__ static float scale_of(const uint2& row, int group) {
    const uint32_t upper = row.x >> (16 + 2 * group) & 3U;
    const uint32_t lower = row.y >> (4 * group) & 15U;
    return float_of_half(static_cast<uint16_t>(row.x)) *
           static_cast<float>(static_cast<int>(lower | upper << 4) - 32);
  }
};

/// Scales are odd: a byte's upper seven bits, less 127. Its lowest bit adds 4 to every value.
struct Iq4Ks : BlocksOf256 {
  static constexpr int kRawBytes = 136;
  static constexpr int kRawHeader = 4;
  static constexpr int kScaleBytes = kTileRows * 8;
  static constexpr bool kHasRowScales = true;
  using Codes = TableNibbles<4>;
  struct Scales {
    uint2 low;
    uint2 high;
  };

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 8, 16, 4, w);
  }
  __device__ static float raw_value(const unsigned char* row, const unsigned char* block, int w) {
    const uint32_t byte = block[w / 32];
    return raw_f32(row) * static_cast<float>(static_cast<int>(byte & 254U) - 127) *
           (iq4_value(raw_code(block, w)) + ((byte & 1U) != 0 ? 4.0F : 0.0F));
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 8 * row, block, 8);
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    const auto* const rows = reinterpret_cast<const uint2*>(tile);
    return {rows[g], rows[g + 8]};
  }
  __device__ static void unpack(const Chunk<1>& chunk, NoPlane, const Scales& scales,
                                const Codes::Table& table, int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, group, table, a);
    // No value has a carry: the highest negative one is -10, the highest one 113.
    const uint32_t low = (biased(scales.low, group) & 1U) * 0x04040404U;
    const uint32_t high = (biased(scales.high, group) & 1U) * 0x04040404U;
    a[0] += low;
    a[1] += high;
    a[2] += low;
    a[3] += high;
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {scale_of(scales.low, group), scale_of(scales.high, group)};
  }

 private:
  __device__ static uint32_t biased(const uint2& row, int group) {
    return biased_byte(group < 4 ? row.x : row.y, group % 4);
  }
  __device__ static float scale_of(const uint2& row, int group) {
    return __fadd_rn(__uint_as_float(biased(row, group) & ~1U), -(kIntegerBias + 127.0F));
  }
};

}  // namespace vernal::cuda_sm86

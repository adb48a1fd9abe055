// Codecs of the forms that other formats are converted into (shared/weights).
#pragma once

#include "kernels/matmul/formats/codecs.hpp"

namespace vernal::cuda_sm86 {

/// D f32, sixteen signed scales, 256 signed codes.
struct EightBit : ByteScales<float> {
  static constexpr int kRawBytes = 276;
  using Codes = Bytes<4>;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) { return block[20 + w]; }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f32(block) * static_cast<float>(static_cast<int8_t>(block[4 + w / 16])) *
           static_cast<float>(static_cast<int8_t>(block[20 + w]));
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 16 * row, block + 4, 16);
    copy_words(tile + kUnitsAt + 4 * row, block, 4);
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    return load_byte_scales(tile, g, 1.0F);
  }
  __device__ static void unpack(const Chunk<2>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
};

/// D and M f32, 32 signed codes.
struct Affine32 {
  static constexpr int kRawColumns = 32;
  static constexpr int kRawHeader = 0;
  static constexpr int kRawBytes = 40;
  static constexpr int kColumns = 64;
  static constexpr int kScaleBytes = kTileRows * 16;
  static constexpr bool kHasHalves = false;
  static constexpr bool kHasMinimum = true;
  static constexpr bool kHasRowScales = false;
  using Codes = Bytes<1>;
  struct Scales {
    float4 low;  ///< D, M of the first block, D, M of the second one
    float4 high;
  };

  __device__ static uint32_t raw_code(const unsigned char* block, int w) { return block[8 + w]; }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f32(block) * static_cast<float>(static_cast<int8_t>(block[8 + w])) +
           raw_f32(block + 4);
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* blocks,
                                     int num_blocks) {
    for (int b = 0; b < 2; ++b) {
      auto* const out = reinterpret_cast<float*>(tile + 16 * row + 8 * b);
      out[0] = b < num_blocks ? raw_f32(blocks + b * kRawBytes) : 0.0F;
      out[1] = b < num_blocks ? raw_f32(blocks + b * kRawBytes + 4) : 0.0F;
    }
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    const auto* const rows = reinterpret_cast<const float4*>(tile);
    return {rows[g], rows[g + 8]};
  }
  __device__ static void unpack(const Chunk<2>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return group == 0 ? RowPair{scales.low.x, scales.high.x} : RowPair{scales.low.z, scales.high.z};
  }
  __device__ static RowPair minimum(const Scales& scales, int group) {
    return group == 0 ? RowPair{scales.low.y, scales.high.y} : RowPair{scales.low.w, scales.high.w};
  }
};

/// D and M f32, sixteen scales and as many minima as bytes, 256 signed codes.
struct Affine256 : BlocksOf256 {
  static constexpr int kRawBytes = 296;
  static constexpr int kMinimaAt = kTileRows * 16;
  static constexpr int kUnitsAt = 2 * kMinimaAt;
  static constexpr int kScaleBytes = kUnitsAt + kTileRows * 8;
  static constexpr bool kHasHalves = true;
  static constexpr bool kHasMinimum = true;
  using Codes = Bytes<4>;
  struct Scales {
    uint4 low;
    uint4 high;
    uint4 low_minima;
    uint4 high_minima;
    float2 low_units;  ///< D, M
    float2 high_units;
  };

  __device__ static uint32_t raw_code(const unsigned char* block, int w) { return block[40 + w]; }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f32(block) * static_cast<float>(block[8 + w / 16]) *
               static_cast<float>(static_cast<int8_t>(block[40 + w])) +
           raw_f32(block + 4) * static_cast<float>(block[24 + w / 16]);
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* block,
                                     int) {
    copy_words(tile + 16 * row, block + 8, 16);
    copy_words(tile + kMinimaAt + 16 * row, block + 24, 16);
    copy_words(tile + kUnitsAt + 8 * row, block, 8);
  }
  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    const auto* const rows = reinterpret_cast<const uint4*>(tile);
    const auto* const minima = reinterpret_cast<const uint4*>(tile + kMinimaAt);
    const auto* const units = reinterpret_cast<const float2*>(tile + kUnitsAt);
    return {rows[g], rows[g + 8], minima[g], minima[g + 8], units[g], units[g + 8]};
  }
  __device__ static void unpack(const Chunk<2>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {scales.low_units.x * byte_less(scales.low, group, 0),
            scales.high_units.x * byte_less(scales.high, group, 0)};
  }
  __device__ static RowPair minimum(const Scales& scales, int group) {
    return {scales.low_units.y * byte_less(scales.low_minima, group, 0),
            scales.high_units.y * byte_less(scales.high_minima, group, 0)};
  }
};

}  // namespace vernal::cuda_sm86

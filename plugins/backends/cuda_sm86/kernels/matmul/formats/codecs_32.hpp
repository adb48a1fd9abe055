// Codecs of formats in blocks of 32 with an f16 scale: two blocks side by side make a tile.
#pragma once

#include "kernels/matmul/formats/codecs.hpp"

namespace vernal::cuda_sm86 {

/// Scales of rows g and g + 8: two halves each.
struct HalfScales {
  uint32_t low;
  uint32_t high;
};

struct BlocksOf32 {
  static constexpr int kRawColumns = 32;
  static constexpr int kRawHeader = 0;
  static constexpr int kColumns = 64;
  static constexpr int kScaleBytes = kTileRows * 4;
  static constexpr bool kHasHalves = false;
  static constexpr bool kHasMinimum = false;
  static constexpr bool kHasRowScales = false;
  using Scales = HalfScales;

  __device__ static Scales load_scales(const unsigned char* tile, int g) {
    return {u32_at(tile + 4 * g), u32_at(tile + 4 * (g + 8))};
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {float_of_half(static_cast<uint16_t>(scales.low >> (16 * group))),
            float_of_half(static_cast<uint16_t>(scales.high >> (16 * group)))};
  }
};

/// Writes the f16 scales of up to two blocks that begin with them.
__device__ __forceinline__ void pack_half_scales(unsigned char* tile, int row,
                                                 const unsigned char* blocks, int bytes,
                                                 int num_blocks) {
  uint32_t scales = raw_u16(blocks);
  if (num_blocks > 1) scales |= raw_u16(blocks + bytes) << 16;
  *reinterpret_cast<uint32_t*>(tile + 4 * row) = scales;
}

struct Q4_0 : BlocksOf32 {
  static constexpr int kRawBytes = 18;
  using Codes = SignedNibbles<1>;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 2, 16, 4, w);
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    const RowPair of_codes = BlocksOf32::scale(scales, group);
    return {of_codes.low * Codes::kUnit, of_codes.high * Codes::kUnit};
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f16(block) * (static_cast<float>(raw_code(block, w)) - 8.0F);
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* blocks,
                                     int num_blocks) {
    pack_half_scales(tile, row, blocks, kRawBytes, num_blocks);
  }
  __device__ static void unpack(const Chunk<1>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
};

struct Iq4Nl : BlocksOf32 {
  static constexpr int kRawBytes = 18;
  using Codes = TableNibbles<1>;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) {
    return raw_plane(block + 2, 16, 4, w);
  }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f16(block) * iq4_value(raw_code(block, w));
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* blocks,
                                     int num_blocks) {
    pack_half_scales(tile, row, blocks, kRawBytes, num_blocks);
  }
  __device__ static void unpack(const Chunk<1>& chunk, NoPlane, const Scales&,
                                const Codes::Table& table, int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, group, table, a);
  }
};

struct Q8_0 : BlocksOf32 {
  static constexpr int kRawBytes = 34;
  using Codes = Bytes<1>;

  __device__ static uint32_t raw_code(const unsigned char* block, int w) { return block[2 + w]; }
  __device__ static float raw_value(const unsigned char*, const unsigned char* block, int w) {
    return raw_f16(block) * static_cast<float>(static_cast<int8_t>(block[2 + w]));
  }
  __device__ static void pack_scales(unsigned char* tile, int row, const unsigned char* blocks,
                                     int num_blocks) {
    pack_half_scales(tile, row, blocks, kRawBytes, num_blocks);
  }
  __device__ static void unpack(const Chunk<2>& chunk, NoPlane, const Scales&, const Codes::Table&,
                                int group, uint32_t (&a)[4]) {
    Codes::unpack(chunk, {}, group, a);
  }
};

}  // namespace vernal::cuda_sm86

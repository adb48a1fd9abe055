// What the codecs of storage formats share. A codec is a structure for each format that kernels
// multiply: how a tile of it is read, and how a tile is made from the bytes of a file. Codecs stand in
// codecs_32.hpp (blocks of 32), codecs_256.hpp and codecs_forms.hpp (what other formats are converted
// into). Adding a format means adding a codec there, a file NAME.cu, and a row in
// weight_format.cpp.
//
// A codec has
//   kRawColumns, kRawBytes, kRawHeader   of a block in the file, and in front of each row
//   kColumns, kScaleBytes, Codes         of a tile: columns, bytes of all scales, codes behind them
//   kHasHalves     scales are for 16 columns, else for 32
//   kHasMinimum    a weight is scale * code + minimum
//   kHasRowScales  every weight is multiplied with a float of its row as well
//   raw_code()     the code of a weight in a block of the file
//   raw_value()    column `w` of a block as a float; `row` is where the row begins in the file
//   pack_scales()  the scales of a row in a tile, from its first block in the file
//   Scales, load_scales()  the scales of rows g and g + 8 as a lane holds them
//   unpack()       the registers of a block of 32 columns, as multiply_s8() reads them; `group` counts
//                  the blocks of the tile
//   scale(), minimum()     of a group of 16 or 32 columns, counted in the tile
#pragma once

#include "kernels/matmul/formats/biased_integers.hpp"
#include "kernels/matmul/formats/codes.hpp"
#include "kernels/matmul/formats/raw_fields.hpp"

namespace vernal::cuda_sm86 {

__device__ __forceinline__ float iq4_value(uint32_t code) {
  const uint32_t values[4] = VERNAL_IQ4_VALUES;
  return static_cast<float>(static_cast<int8_t>(values[code / 4] >> (8 * (code % 4)) & 255U));
}

/// Copies `bytes`, a multiple of 4, to an aligned place.
__device__ __forceinline__ void copy_words(unsigned char* to, const unsigned char* from,
                                           int bytes) {
  for (int i = 0; i < bytes; i += 4) *reinterpret_cast<uint32_t*>(to + i) = raw_u32(from + i);
}

/// Unsigned bytes made of signed ones, 128 more.
__device__ __forceinline__ uint4 biased_bytes(uint4 bytes) {
  return make_uint4(bytes.x ^ 0x80808080U, bytes.y ^ 0x80808080U, bytes.z ^ 0x80808080U,
                    bytes.w ^ 0x80808080U);
}

/// Byte `index` of sixteen, less `offset`.
__device__ __forceinline__ float byte_less(const uint4& bytes, int index, int offset) {
  const uint32_t words[4] = {bytes.x, bytes.y, bytes.z, bytes.w};
  return byte_less(words[index / 4], index % 4, offset);
}

struct BlocksOf256 {
  static constexpr int kRawColumns = 256;
  static constexpr int kRawHeader = 0;
  static constexpr int kColumns = 256;
  static constexpr bool kHasHalves = false;
  static constexpr bool kHasMinimum = false;
  static constexpr bool kHasRowScales = false;
};

/// Sixteen signed scales for 16 columns each, then D of all rows. `unit` is what a code counts.
template <class Unit>
struct ByteScales : BlocksOf256 {
  static constexpr int kUnitsAt = kTileRows * 16;
  static constexpr int kScaleBytes = kUnitsAt + kTileRows * static_cast<int>(sizeof(Unit));
  static constexpr bool kHasHalves = true;
  struct Scales {
    uint4 low;  ///< biased_bytes()
    uint4 high;
    RowPair units;
  };

  __device__ static Scales load_byte_scales(const unsigned char* tile, int g, float unit) {
    const auto* const rows = reinterpret_cast<const uint4*>(tile);
    const auto* const units = reinterpret_cast<const Unit*>(tile + kUnitsAt);
    return {biased_bytes(rows[g]),
            biased_bytes(rows[g + 8]),
            {unit_of(units[g]) * unit, unit_of(units[g + 8]) * unit}};
  }
  __device__ static RowPair scale(const Scales& scales, int group) {
    return {scales.units.low * byte_less(scales.low, group, 128),
            scales.units.high * byte_less(scales.high, group, 128)};
  }

 private:
  __device__ static float unit_of(uint16_t half) { return float_of_half(half); }
  __device__ static float unit_of(float number) { return number; }
};

}  // namespace vernal::cuda_sm86

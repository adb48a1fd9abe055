// What the kernels of quantised products share: the product of a block of weights with a block of
// activations, and what becomes of a sum. They do the same operations in the same order, so that an
// output has the same bits whichever kernel computes it. The operations are spelled out as
// __fmaf_rn() and so on, or the compiler would choose what to fuse, for each kernel anew.
#pragma once

#include "kernels/matmul/finish_output.hpp"
#include "kernels/matmul/formats/codecs.hpp"
#include "kernels/matmul/matmul.hpp"

namespace vernal::cuda_sm86 {

/// The partial sums of an output, along K: tile k of a row of tiles belongs to part k modulo this.
inline constexpr int kMostParts = 8;

template <class Codec>
__host__ __device__ constexpr int64_t tile_bytes() {
  return Codec::kScaleBytes + Codec::Codes::kBytes;
}

template <class Codec>
__host__ __device__ constexpr int64_t tiles_of(int64_t num_columns) {
  return (num_columns + Codec::kColumns - 1) / Codec::kColumns;
}

/// Parts of an output's sum, for so many tiles in a row.
__host__ __device__ constexpr int parts_of(int64_t num_tiles) {
  return num_tiles < kMostParts ? static_cast<int>(num_tiles) : kMostParts;
}

/// The activations that a lane multiplies with in one block of 32 columns.
struct ActivationPart {
  uint32_t codes[2];
  float2 scales;  ///< of rows 2t and 2t + 1
  float2 sums;
};

/// `codes`, `numbers`: what activation_codes() and activation_numbers() gave for the tile.
template <class Codec>
__device__ __forceinline__ ActivationPart load_activations(const unsigned char* codes,
                                                           const unsigned char* numbers) {
  ActivationPart out;
  const uint2 both = *reinterpret_cast<const uint2*>(codes);
  out.codes[0] = both.x;
  out.codes[1] = both.y;
  out.scales = *reinterpret_cast<const float2*>(numbers);
  if constexpr (Codec::kHasMinimum && !Codec::kHasHalves) {
    out.sums = *reinterpret_cast<const float2*>(numbers + kColumnTile * sizeof(float));
  }
  return out;
}

/// Where the codes of a lane begin in a tile of activations, and the scales of its two columns.
/// `row`: of the tile, whose codes the lane holds.
__device__ __forceinline__ const unsigned char* activation_codes(const ActivationTile* tile,
                                                                 int row, int lane) {
  return reinterpret_cast<const unsigned char*>(tile) + row * kBlockColumns + lane % 4 * 8;
}
__device__ __forceinline__ const unsigned char* activation_numbers(const ActivationTile* tile,
                                                                   int lane) {
  return reinterpret_cast<const unsigned char*>(tile) + kColumnTile * kBlockColumns + lane % 4 * 8;
}

/// The scales of one block of 32 columns for a lane: one, or one for each half.
template <class Codec>
struct BlockScales {
  static constexpr int kCount = Codec::kHasHalves ? 2 : 1;
  RowPair scale[kCount];
  RowPair minimum[kCount];
};

/// `group`: the block in its tile.
template <class Codec>
__device__ __forceinline__ BlockScales<Codec> block_scales(const typename Codec::Scales& scales,
                                                           int group) {
  BlockScales<Codec> out;
  VERNAL_UNROLL
  for (int i = 0; i < out.kCount; ++i) {
    out.scale[i] = Codec::scale(scales, out.kCount * group + i);
    if constexpr (Codec::kHasMinimum) {
      out.minimum[i] = Codec::minimum(scales, out.kCount * group + i);
    }
  }
  return out;
}

/// sums += scale * product, with one scale for each row of weights and row of x. The products are
/// more than they should be by kIntegerBias, and so are floats already.
__device__ __forceinline__ void add_scaled(float (&sums)[4], const int32_t (&product)[4],
                                           RowPair scale, float2 x_scales) {
  const float factors[4] = {__fmul_rn(scale.low, x_scales.x), __fmul_rn(scale.low, x_scales.y),
                            __fmul_rn(scale.high, x_scales.x), __fmul_rn(scale.high, x_scales.y)};
  VERNAL_UNROLL
  for (int i = 0; i < 4; ++i) {
    const float number = __fadd_rn(__int_as_float(product[i]), -kIntegerBias);
    sums[i] = __fmaf_rn(number, factors[i], sums[i]);
  }
}

/// The products of one block of 32 columns. A sum has at most 32 products of 7-bit numbers, which
/// kIntegerBias has room for.
template <class Codec>
__device__ __forceinline__ void multiply_block(float (&sums)[4], const uint32_t (&a)[4],
                                               const ActivationPart& x,
                                               const BlockScales<Codec>& scales) {
  constexpr auto kBias = static_cast<int32_t>(kIntegerBiasBits);
  if constexpr (Codec::kHasHalves) {
    VERNAL_UNROLL
    for (int half = 0; half < 2; ++half) {
      int32_t product[4] = {kBias, kBias, kBias, kBias};
      multiply_s8_half(product, a[2 * half], a[2 * half + 1], x.codes[half]);
      add_scaled(sums, product, scales.scale[half], x.scales);
      if constexpr (Codec::kHasMinimum) {
        // Blocks of x know the sum of 32 codes. That of 16 is a product with ones.
        int32_t sum[4] = {kBias, kBias, kBias, kBias};
        multiply_s8_half(sum, 0x01010101U, 0x01010101U, x.codes[half]);
        add_scaled(sums, sum, scales.minimum[half], x.scales);
      }
    }
  } else {
    int32_t product[4] = {kBias, kBias, kBias, kBias};
    multiply_s8(product, a, x.codes);
    add_scaled(sums, product, scales.scale[0], x.scales);
    if constexpr (Codec::kHasMinimum) {
      const RowPair minimum = scales.minimum[0];
      sums[0] = __fmaf_rn(minimum.low, x.sums.x, sums[0]);
      sums[1] = __fmaf_rn(minimum.low, x.sums.y, sums[1]);
      sums[2] = __fmaf_rn(minimum.high, x.sums.x, sums[2]);
      sums[3] = __fmaf_rn(minimum.high, x.sums.y, sums[3]);
    }
  }
}

/// Output n of a row of x, given its sum.
template <class Codec>
__device__ __forceinline__ float output_of(const Product& p, int64_t row, int64_t n, float sum) {
  if constexpr (Codec::kHasRowScales) sum = __fmul_rn(sum, p.matrix.row_scales[n]);
  return finish_output(p, row, n, sum);
}

/// Writes it.
template <class Codec>
__device__ __forceinline__ void write_output(const Product& p, int64_t row, int64_t n, float sum) {
  p.y[row * p.matrix.num_rows + n] = output_of<Codec>(p, row, n, sum);
}

}  // namespace vernal::cuda_sm86

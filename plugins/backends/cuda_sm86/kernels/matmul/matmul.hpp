// Products with matrices of weights, and the other uses of one: as the host sees them.
#pragma once

#include "kernels/elementwise/elementwise.hpp"
#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/matmul/tile.hpp"
#include "kernels/step.hpp"
#include "shared/compile/function_kinds.hpp"

namespace vernal::cuda_sm86 {

/// The codecs of quantised weights (formats/codecs.hpp).
enum class MatrixCodec : unsigned char {
  kNone,  ///< floats
  kQ4_0,
  kQ8_0,
  kIq4Nl,
  kQ4K,
  kQ5K,
  kQ6K,
  kIq4Xs,
  kIq4Ks,
  kEightBit,
  kAffine32,
  kAffine256,
};

/// A matrix on the device, N rows of K columns. Borrowed memory.
struct DeviceMatrix {
  const unsigned char* data = nullptr;  ///< tiles (tile.hpp), or rows of floats as in the file
  const float* row_scales = nullptr;    ///< [N], only formats that have them
  int32_t num_rows = 0;
  int32_t num_columns = 0;
};

/// y = f(x W^T + bias + residual) * factors, for one matrix.
struct Product {
  DeviceMatrix matrix;
  const float* bias = nullptr;                                  ///< [N] or null
  const float* residual = nullptr;                              ///< [rows][N] or null
  const float* factors = nullptr;                               ///< [N] or null
  float* y = nullptr;                                           ///< [rows][N]
  backend::Activation activation = backend::Activation::kSilu;  ///< f
  bool is_activated = false;                                    ///< else f(x) = x
  MatrixCodec codec = MatrixCodec::kNone;  ///< read by launch_multiply_mixed() alone
  int32_t first_tile = 0;  ///< of its 16 rows among those of the launch; set by add()
};

/// Most matrices that one launch multiplies the same x with.
inline constexpr int kMostProducts = 4;

/// Products of the same x with matrices of one format.
struct Multiply {
  Product products[kMostProducts];
  int32_t num_products = 0;
  int32_t num_tiles = 0;     ///< of 16 rows, of all matrices
  ActivationBlocks blocks;   ///< x for quantised weights
  const float* x = nullptr;  ///< [rows][K] for floats
  DeviceRows rows;
  /// Experts: whose matrix the tile of 8 rows of x is multiplied with, by tile; null: one matrix.
  /// The only product's matrix, row scales and bias are then those of expert 0.
  const int32_t* tile_experts = nullptr;
  int64_t matrix_bytes = 0;      ///< from one expert's matrix to the next
  int64_t row_scale_stride = 0;  ///< numbers from one expert's row scales to the next

  void add(Product product) {
    product.first_tile = num_tiles;
    products[num_products++] = product;
    num_tiles += (product.matrix.num_rows + kTileRows - 1) / kTileRows;
  }
  int32_t num_columns() const { return products[0].matrix.num_columns; }
};

/// Which product has tile number `tile` of 16 rows of the launch.
__device__ __forceinline__ int product_number(const Multiply& m, int tile) {
  int i = 0;
  while (i + 1 < m.num_products && tile >= m.products[i + 1].first_tile) ++i;
  return i;
}

/// A product, for a tile of 8 rows of x that begins at first_row.
__device__ __forceinline__ Product product_at(const Multiply& m, int number, int64_t first_row) {
  Product out = m.products[number];
  if (m.tile_experts == nullptr) return out;
  const int64_t expert = m.tile_experts[first_row / kColumnTile];
  out.matrix.data += expert * m.matrix_bytes;
  if (out.matrix.row_scales != nullptr) out.matrix.row_scales += expert * m.row_scale_stride;
  if (out.bias != nullptr) out.bias += expert * out.matrix.num_rows;
  return out;
}

/// The product that a block of threads has a tile of 16 rows of: tile number `tile` of the launch,
/// for a tile of 8 rows of x that begins at first_row.
__device__ __forceinline__ Product product_of(const Multiply& m, int tile, int64_t first_row) {
  return product_at(m, product_number(m, tile), first_row);
}

/// Products of up to 8 rows of x with quantised matrices of any formats, in one launch. The bits are
/// those of MatrixKernels::multiply. No experts.
cudaError_t launch_multiply_mixed(const Multiply& multiply, const LaunchSize& size);

/// Two products of up to 8 rows of x, and what becomes of their results: glu(first, second).
struct MultiplyGated {
  Multiply multiply;  ///< two matrices of one shape, num_rows a multiple of 32; no experts
  GatedUnit unit;     ///< its gate and up are not read
};

/// Makes tiles of rows as they lie in the file.
struct Repack {
  const unsigned char* stored = nullptr;  ///< [num_rows] rows, device memory
  unsigned char* tiles = nullptr;
  float* row_scales = nullptr;
  int32_t first_row = 0;  ///< of the matrix, a multiple of 16
  int32_t num_rows = 0;   ///< stored here; the last call of a matrix may have any number
  int32_t num_columns = 0;
};

/// y[t] = scale * row ids[t] of a table that lies as in the file.
struct Embed {
  const unsigned char* table = nullptr;  ///< mapped host memory or device memory
  const int32_t* ids = nullptr;
  float* y = nullptr;  ///< [tokens][num_columns]
  const StepCounts* counts = nullptr;
  int64_t row_bytes = 0;
  int32_t num_columns = 0;
  float scale = 1.0F;
};

/// The kernels of one storage format.
struct MatrixKernels {
  /// 16 rows of `columns` as tiles take so many bytes; null for floats, which stay as they are.
  int64_t (*row_tile_bytes)(int64_t num_columns) = nullptr;
  bool has_row_scales = false;
  /// most_rows: of x in this launch
  cudaError_t (*multiply)(const Multiply& multiply, int64_t most_rows,
                          const LaunchSize& size) = nullptr;
  cudaError_t (*repack)(const Repack& repack, cudaStream_t stream) = nullptr;
  cudaError_t (*embed)(const Embed& embed, const LaunchSize& size) = nullptr;
  /// Null for floats.
  cudaError_t (*multiply_gated)(const MultiplyGated& gated, const LaunchSize& size) = nullptr;
  MatrixCodec codec = MatrixCodec::kNone;

  bool is_quantised() const { return row_tile_bytes != nullptr; }
};

// One for each format that is multiplied as it is stored (codecs.hpp), and for each form that others are converted into.
extern const MatrixKernels kQ4_0Kernels, kQ8_0Kernels, kIq4NlKernels, kQ4KKernels, kQ5KKernels,
    kQ6KKernels, kIq4XsKernels, kIq4KsKernels, kEightBitKernels, kAffine32Kernels,
    kAffine256Kernels;
extern const MatrixKernels kF32Kernels, kF16Kernels, kBf16Kernels;

}  // namespace vernal::cuda_sm86

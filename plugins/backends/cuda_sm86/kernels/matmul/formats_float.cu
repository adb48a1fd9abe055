// Products with weights that are floats, and with activations in f32.
#include "kernels/matmul/formats/raw_fields.hpp"
#include "kernels/matmul/matmul.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

struct F32 {
  static constexpr int kBytes = 4;
  __device__ static float read(const unsigned char* at) {
    return *reinterpret_cast<const float*>(at);
  }
};
struct F16 {
  static constexpr int kBytes = 2;
  __device__ static float read(const unsigned char* at) {
    return float_of_half(*reinterpret_cast<const uint16_t*>(at));
  }
};
struct Bf16 {
  static constexpr int kBytes = 2;
  __device__ static float read(const unsigned char* at) {
    return __uint_as_float(static_cast<uint32_t>(*reinterpret_cast<const uint16_t*>(at)) << 16);
  }
};

constexpr int kWarps = 4;

/// A warp for each output and 8 rows of x: lanes share K.
template <class Number>
__global__ void multiply_floats(Multiply all) {
  const int64_t n = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarpSize;
  if (n >= all.matrix.num_rows) return;
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  const int64_t num_rows = all.rows.count();
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kColumnTile;
  if (first_row >= num_rows) return;
  const Multiply m = multiply_of_tile(all, first_row);
  const int num_columns = m.matrix.num_columns;
  const unsigned char* const weights = m.matrix.data + n * num_columns * Number::kBytes;
  float sums[kColumnTile] = {};
  for (int k = lane; k < num_columns; k += kWarpSize) {
    const float w = Number::read(weights + static_cast<int64_t>(k) * Number::kBytes);
    VERNAL_UNROLL
    for (int i = 0; i < kColumnTile; ++i) {
      if (first_row + i < num_rows) sums[i] += w * m.x[(first_row + i) * num_columns + k];
    }
  }
  float sum = warp_sums(sums);
  const int64_t row = first_row + lane / 4;
  if (lane % 4 != 0 || row >= num_rows) return;
  if (m.bias != nullptr) sum += m.bias[n];
  if (m.residual != nullptr) sum += m.residual[row * m.matrix.num_rows + n];
  m.y[row * m.matrix.num_rows + n] = sum;
}

template <class Number>
cudaError_t launch_multiply_floats(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const dim3 grid(blocks_for(m.matrix.num_rows, kWarps), blocks_for(most_rows, kColumnTile));
  return launch(size.stream, grid, kWarps * kWarpSize, multiply_floats<Number>, m);
}

template <class Number>
__global__ void embed_floats(Embed e) {
  const int token = static_cast<int>(blockIdx.x);
  if (token >= e.counts->num_tokens) return;
  const unsigned char* const row = e.table + e.ids[token] * e.row_bytes;
  float* const y = e.y + static_cast<int64_t>(token) * e.num_columns;
  for (int column = static_cast<int>(threadIdx.x); column < e.num_columns;
       column += static_cast<int>(blockDim.x)) {
    y[column] = e.scale * Number::read(row + static_cast<int64_t>(column) * Number::kBytes);
  }
}

template <class Number>
cudaError_t launch_embed_floats(const Embed& embed, const LaunchSize& size) {
  return launch(size.stream, blocks_for(size.num_tokens, 1), 128, embed_floats<Number>, embed);
}

template <class Number>
constexpr MatrixKernels float_kernels() {
  return {nullptr, false, launch_multiply_floats<Number>, nullptr, launch_embed_floats<Number>};
}

}  // namespace

const MatrixKernels kF32Kernels = float_kernels<F32>();
const MatrixKernels kF16Kernels = float_kernels<F16>();
const MatrixKernels kBf16Kernels = float_kernels<Bf16>();

}  // namespace vernal::cuda_sm86

// Products with weights that are floats, and with activations in f32.
#include "kernels/matmul/finish_output.hpp"

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

constexpr int kOutputs = kTileRows;  // of a block of threads, for a tile of 8 rows of x
constexpr int kChunk = 64;           // numbers of K that are in shared memory at a time
constexpr int kThreads = kOutputs * kColumnTile;

/// One more than a chunk separates the rows, so that threads that read the same place of different
/// rows read different banks.
struct Chunk {
  float weights[kOutputs][kChunk + 1];
  float x[kColumnTile][kChunk + 1];
};

/// Loads the chunk that begins at column `first`; zeros behind the last row and column.
template <class Number>
__device__ void load_chunk(const DeviceMatrix& matrix, const float* x, int64_t first_output,
                           int64_t first_row, int64_t num_rows, int first, Chunk& chunk) {
  const int num_columns = matrix.num_columns;
  for (int i = static_cast<int>(threadIdx.x); i < (kOutputs + kColumnTile) * kChunk;
       i += kThreads) {
    const int line = i / kChunk;
    const int column = first + i % kChunk;
    const bool is_weight = line < kOutputs;
    const int64_t row = is_weight ? first_output + line : first_row + line - kOutputs;
    const bool is_there = column < num_columns && row < (is_weight ? matrix.num_rows : num_rows);
    float number = 0.0F;
    if (is_there && is_weight) {
      number = Number::read(matrix.data + (row * num_columns + column) * Number::kBytes);
    } else if (is_there) {
      number = x[row * num_columns + column];
    }
    (is_weight ? chunk.weights[line] : chunk.x[line - kOutputs])[i % kChunk] = number;
  }
}

/// A thread for each output and row of x. The sum runs over K in order.
template <class Number>
__global__ void multiply_floats(Multiply m) {
  VERNAL_SHARED(Chunk, chunk);
  const int64_t num_rows = m.rows.count();
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kColumnTile;
  if (first_row >= num_rows) return;
  const Product p = product_of(m, static_cast<int>(blockIdx.x), first_row);
  const int64_t first_output = (static_cast<int64_t>(blockIdx.x) - p.first_tile) * kOutputs;
  const int output = static_cast<int>(threadIdx.x) % kOutputs;
  const int in_tile = static_cast<int>(threadIdx.x) / kOutputs;
  float sum = 0.0F;
  for (int first = 0; first < p.matrix.num_columns; first += kChunk) {
    load_chunk<Number>(p.matrix, m.x, first_output, first_row, num_rows, first, chunk);
    __syncthreads();
    for (int k = 0; k < kChunk; ++k) sum += chunk.weights[output][k] * chunk.x[in_tile][k];
    __syncthreads();
  }
  const int64_t n = first_output + output;
  const int64_t row = first_row + in_tile;
  if (n >= p.matrix.num_rows || row >= num_rows) return;
  p.y[row * p.matrix.num_rows + n] = finish_output(p, row, n, sum);
}

template <class Number>
cudaError_t launch_multiply_floats(const Multiply& m, int64_t most_rows, const LaunchSize& size) {
  const dim3 grid(static_cast<unsigned>(m.num_tiles), blocks_for(most_rows, kColumnTile));
  return launch(size.stream, grid, kThreads, multiply_floats<Number>, m);
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
  MatrixKernels kernels;
  kernels.multiply = launch_multiply_floats<Number>;
  kernels.embed = launch_embed_floats<Number>;
  return kernels;
}

}  // namespace

const MatrixKernels kF32Kernels = float_kernels<F32>();
const MatrixKernels kF16Kernels = float_kernels<F16>();
const MatrixKernels kBf16Kernels = float_kernels<Bf16>();

}  // namespace vernal::cuda_sm86

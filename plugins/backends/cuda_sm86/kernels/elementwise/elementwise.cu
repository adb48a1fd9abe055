#include "kernels/elementwise/elementwise.hpp"

#include "kernels/elementwise/functions.hpp"
#include "kernels/matmul/quantize_block.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 256;

/// Each thread visits every (number of threads)-th of `count` numbers.
template <class Visit>
__device__ __forceinline__ void for_each_number(int64_t count, Visit visit) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    visit(i);
  }
}

__global__ void map_numbers(Map map) {
  for_each_number(map.rows.count() * map.num_columns, [&](int64_t i) {
    const float x = map.x[i];
    switch (map.kind) {
      case Map::Kind::kActivate:
        map.y[i] = activate(map.activation, x);
        break;
      case Map::Kind::kScale:
        map.y[i] = x * map.number;
        break;
      case Map::Kind::kSoftcap:
        map.y[i] = map.number * tanhf(x / map.number);
        break;
    }
  });
}

__global__ void gate_numbers(GatedUnit unit) {
  for_each_number(unit.rows.count() * unit.num_columns, [&](int64_t i) {
    unit.y[i] = gated(unit.kind, unit.gate[i], unit.up[i], unit.alpha, unit.limit);
  });
}

/// The same with blocks of 8-bit codes: a warp for each, a lane for each number.
__global__ void gate_blocks(GatedUnit unit) {
  const int lane = static_cast<int>(threadIdx.x % kWarpSize);
  const int64_t num_blocks = unit.num_columns / kBlockColumns;
  const int64_t block =
      static_cast<int64_t>(blockIdx.x) * (kThreads / kWarpSize) + threadIdx.x / kWarpSize;
  const int64_t row = block / num_blocks;
  if (row >= unit.rows.count()) return;
  const int64_t i = block * kBlockColumns + lane;
  const float y = gated(unit.kind, unit.gate[i], unit.up[i], unit.alpha, unit.limit);
  if (unit.y != nullptr) unit.y[i] = y;
  const BlockPlace place = block_place(unit.result, row, unit.num_columns);
  quantize_block(unit.result, place.row, place.block + block % num_blocks, y);
}

__global__ void combine_numbers(Binary binary) {
  const int64_t row_numbers = binary.dims[0] * binary.dims[1] * binary.dims[2];
  for_each_number(binary.rows.count() * row_numbers, [&](int64_t i) {
    const int64_t at[4] = {i / row_numbers, i / (binary.dims[1] * binary.dims[2]) % binary.dims[0],
                           i / binary.dims[2] % binary.dims[1], i % binary.dims[2]};
    int64_t a = 0;
    int64_t b = 0;
    for (int d = 0; d < 4; ++d) {
      a += at[d] * binary.a_strides[d];
      b += at[d] * binary.b_strides[d];
    }
    binary.y[i] = binary.is_product ? binary.a[a] * binary.b[b] : binary.a[a] + binary.b[b];
  });
}

/// Enough threads for 4 numbers each.
unsigned grid_for(int64_t count) { return blocks_for(count, int64_t{4} * kThreads); }

}  // namespace

cudaError_t launch_map(const Map& map, int64_t most_rows, const LaunchSize& size) {
  return launch(size.stream, grid_for(most_rows * map.num_columns), kThreads, map_numbers, map);
}

cudaError_t launch_gated_unit(const GatedUnit& unit, int64_t most_rows, const LaunchSize& size) {
  const int64_t count = most_rows * unit.num_columns;
  if (unit.result.tiles != nullptr) {
    return launch(size.stream, blocks_for(count, kThreads), kThreads, gate_blocks, unit);
  }
  return launch(size.stream, grid_for(count), kThreads, gate_numbers, unit);
}

cudaError_t launch_binary(const Binary& binary, int64_t most_rows, const LaunchSize& size) {
  const int64_t row_numbers = binary.dims[0] * binary.dims[1] * binary.dims[2];
  return launch(size.stream, grid_for(most_rows * row_numbers), kThreads, combine_numbers, binary);
}

}  // namespace vernal::cuda_sm86

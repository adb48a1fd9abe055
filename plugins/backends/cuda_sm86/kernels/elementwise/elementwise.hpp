// Operations on numbers one by one: act/1, scale/1, softcap/1, glu/1, add/1, mul/1.
#pragma once

#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/step.hpp"
#include "shared/compile/function_kinds.hpp"

namespace vernal::cuda_sm86 {

using backend::Activation;
using backend::Glu;

/// y = f(x) for rows of num_columns numbers.
struct Map {
  enum class Kind : unsigned char { kActivate, kScale, kSoftcap };
  const float* x;
  float* y;
  DeviceRows rows;
  int64_t num_columns;
  Kind kind;
  Activation activation;
  float number;  ///< factor or cap
};
cudaError_t launch_map(const Map& map, int64_t most_rows, const LaunchSize& size);

/// y = f(gate) * up; kSwigluOai: g = min(gate, limit), u = clamp(up, -limit, limit),
/// y = g * sigmoid(alpha * g) * (u + 1).
struct GatedUnit {
  const float* gate;
  const float* up;
  float* y;  ///< or null, if only blocks are wanted
  DeviceRows rows;
  int64_t num_columns;
  Glu kind;
  float alpha;
  float limit;
  /// The result in 8-bit form; null tiles: not wanted. A row of it has one or more rows of results side
  /// by side, as a token has heads; then num_columns is a multiple of 32.
  ActivationBlocks result;
};
cudaError_t launch_gated_unit(const GatedUnit& unit, int64_t most_rows, const LaunchSize& size);

/// y = a + b or a * b over four dimensions, of which `rows` has the outermost: [rows][d1][d2][d3].
struct Binary {
  const float* a;
  const float* b;
  float* y;
  DeviceRows rows;
  int64_t dims[3];       ///< d1, d2, d3
  int64_t a_strides[4];  ///< 0 where the operand repeats
  int64_t b_strides[4];
  bool is_product;
};
cudaError_t launch_binary(const Binary& binary, int64_t most_rows, const LaunchSize& size);

}  // namespace vernal::cuda_sm86

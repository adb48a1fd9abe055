// Matrix products with weights in their storage format: y[t,n] = sum_k x[t,k] W[n,k] (+ b[n]).
//
// One order of additions per format, whatever the number of tokens, threads or the place in a tile:
//   blocks of 256  the products of a block are summed exactly in int32; per block one f32 fused
//                  multiply-add acc += (D * A) * sum, then, with minimums, acc -= (M * A) * msum
//   blocks of 32   the same per block of 32, minimums acc += m * (A * sigma)
//   floats         eight f32 lanes, lane l takes columns l, l + 8, ... by fused multiply-add, then
//                  the lanes are added in the order of sum_each()
// followed by the bias and the residual. So the bits of y[t,:] depend on x[t,:] alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/instruction_set.hpp"
#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/matmul/packed_weights.hpp"

namespace vernal::cpu_avx2 {

/// One product. Everything is borrowed.
struct Matmul {
  PackedMatrix weights;
  ActivationBlocks blocks;   ///< for integer formats: the quantised x
  const float* x = nullptr;  ///< for float formats: row t at x + t * x_stride
  std::int64_t x_stride = 0;
  std::int64_t num_tokens = 0;
  const float* bias = nullptr;  ///< [num_rows] or null
  /// Added after the bias: row t at residual + t * y_stride; or null.
  const float* residual = nullptr;
  float* y = nullptr;  ///< row t at y + t * y_stride; may be residual, no other input
  std::int64_t y_stride = 0;
  bool asks_ahead = needs_requests_ahead();  ///< weights are asked for before they are used
};

/// Most tokens whose running sums a kernel keeps on its stack (8 KiB, or 16 KiB).
inline constexpr std::int64_t kTokenTile = 256;

/// Tokens per pass over the weights of a range: their codes should stay in a core's own cache, 1
/// MiB or more on the machines this is for; at least 32, so that unpacking stays cheap.
std::int64_t token_tile(std::int64_t bytes_per_token);

/// Writes y[t, n] for all tokens t and the rows n of groups [first, last) of W. Different ranges
/// may run on different threads at once. Allocates nothing; stack below 32 KiB.
void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2

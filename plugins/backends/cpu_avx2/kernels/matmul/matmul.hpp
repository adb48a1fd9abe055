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

/// How a kernel asks for weights ahead of their use (docs/cpu-kernels.md, "From memory").
enum class Requests : std::uint8_t {
  kAsMeasured,   ///< as is best on this processor: requests_of()
  kNone,         ///< not at all: the processor's prefetchers are as fast
  kReadOnce,     ///< into the first cache, and not into the second
  kSecondCache,  ///< into the second cache
};

/// How far ahead of their use weights are asked for into the second cache. Zen 4, one token, 8960
/// columns of q4_K with AVX2: 0.60 of the bandwidth without, 0.84 at 6 KiB, 0.90 at 7, 0.95 at 9, 0.78
/// at 12; other formats are best at 6 or 7.
inline constexpr std::int64_t kSecondCacheAhead = 6656;

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
  Requests requests = Requests::kAsMeasured;
};

/// Most tokens whose running sums a kernel keeps on its stack (8 KiB, or 16 KiB).
inline constexpr std::int64_t kTokenTile = 256;

/// Tokens per pass over the weights of a range: their codes should stay in a core's own cache, 1
/// MiB or more on the machines this is for; at least 32, so that unpacking stays cheap.
std::int64_t token_tile(std::int64_t bytes_per_token);

/// The requests that a kernel makes for a product: never kAsMeasured.
Requests requests_of(const Matmul& matmul, ProcessorLine line = processor_line());

/// Writes y[t, n] for all tokens t and the rows n of groups [first, last) of W. Different ranges
/// may run on different threads at once. Allocates nothing; stack below 32 KiB.
void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2

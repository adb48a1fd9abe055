// The Hadamard rotation of keys and values: what spreads an outlier over its whole block, so that
// codes with a common scale lose less.
#pragma once

#include <cstdint>

namespace vernal::cpu_avx2 {

/// y_i = sum over j of (-1)^popcount(i & j) x_j / sqrt(block) in each block of the row, in place.
/// The matrix is symmetric and orthogonal (Sylvester 1867): rotating twice gives the row back, and
/// products of rows rotated alike stay what they were, up to f32 rounding.
///   x      [dim]
///   block  a power of two that divides dim, at least 8
void rotate_row(float* x, std::int64_t dim, std::int64_t block);

}  // namespace vernal::cpu_avx2

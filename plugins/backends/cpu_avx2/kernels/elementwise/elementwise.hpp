// Operations on numbers one by one: activations, gated units, broadcasting sums and products.
#pragma once

#include <array>
#include <cstdint>

#include "shared/compile/function_kinds.hpp"

namespace vernal::cpu_avx2 {

using backend::Activation;
using backend::Glu;

/// y[i] = f(x[i]) for first <= i < last. y may be x.
void activate(Activation kind, const float* x, float* y, std::int64_t first, std::int64_t last);

/// y[t,f] = f(gate[t,f]) * up[t,f]; SwigluOai: g = min(gate, limit), u = clamp(up, -limit, limit),
/// y = g * sigmoid(alpha * g) * (u + 1).
struct GluRows {
  Glu kind = Glu::kSwiglu;
  const float* gate = nullptr;  ///< row t at gate + t * gate_stride
  const float* up = nullptr;
  float* y = nullptr;  ///< may be gate or up
  std::int64_t gate_stride = 0;
  std::int64_t up_stride = 0;
  std::int64_t y_stride = 0;
  std::int64_t num_columns = 0;
  float alpha = 0.0F;
  float limit = 0.0F;
};

/// Rows [first, last).
void glu_rows(const GluRows& glu, std::int64_t first, std::int64_t last);

enum class Binary : std::uint8_t { kAdd, kMultiply };

/// y = a op b over dims [d0, d1, d2, d3]; an operand with stride 0 in a dimension repeats there.
/// Strides count floats; the last dimension of y is contiguous, that of an operand has stride 1 or
/// 0.
struct BinaryRows {
  Binary kind = Binary::kAdd;
  const float* a = nullptr;
  const float* b = nullptr;
  float* y = nullptr;  ///< may be a or b where that operand is not repeated
  std::array<std::int64_t, 4> dims{1, 1, 1, 1};
  std::array<std::int64_t, 4> a_strides{};
  std::array<std::int64_t, 4> b_strides{};
};

/// Rows [first, last) of the d0 * d1 * d2 rows of d3 numbers.
void binary_rows(const BinaryRows& binary, std::int64_t first, std::int64_t last);

/// y[i] = x[i] * factor for first <= i < last. y may be x.
void scale(const float* x, float factor, float* y, std::int64_t first, std::int64_t last);

/// y[i] += x[i] * factor for first <= i < last, by fused multiply-add.
void add_scaled(const float* x, float factor, float* y, std::int64_t first, std::int64_t last);

/// y[i] = c * tanh(x[i] / c) for first <= i < last. y may be x.
void softcap(const float* x, float c, float* y, std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2

// Rotary position embedding: angles once per step, rotation per head.
#pragma once

#include <cstdint>

#include "shared/compile/rope_frequencies.hpp"

namespace vernal::cpu_avx2 {

using backend::rope_frequencies;
using backend::RopeFrequencies;

/// magnitude * cos and sin of the angle of each token and pair.
struct RopeTable {
  float* cosines = nullptr;  ///< [num_tokens][num_pairs]
  float* sines = nullptr;
  std::int64_t num_pairs = 0;
};

/// Fills the rows of tokens [first, last). positions: i32 [num_tokens][num_axes]. Angles are f64.
void fill_rope_table(const RopeFrequencies& frequencies, const std::int32_t* positions,
                     std::int64_t num_axes, const RopeTable& table, std::int64_t first,
                     std::int64_t last);

/// y = x with the first 2 * num_pairs numbers of each head rotated.
struct Rope {
  const float* x = nullptr;  ///< [num_tokens][num_heads][head_dim]
  float* y = nullptr;        ///< as x; may be x
  RopeTable table;
  std::int64_t num_heads = 0;
  std::int64_t head_dim = 0;
  bool is_interleaved = false;  ///< pair j is (2j, 2j + 1), else (j, j + num_pairs)
};

/// Tokens [first, last).
void rope_tokens(const Rope& rope, std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2

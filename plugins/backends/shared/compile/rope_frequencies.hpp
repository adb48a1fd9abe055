// How fast the pairs of a rotary position embedding turn (rope/1 in sdk/spec/operations.md).
#pragma once

#include <cstdint>
#include <vector>

#include "vernal/builder_types.hpp"

namespace vernal::backend {

struct RopeFrequencies {
  std::vector<double> radians_per_position;  ///< [n_rot / 2]
  std::vector<std::uint8_t> axis;            ///< [n_rot / 2], column of the positions
  float magnitude = 1.0F;

  std::int64_t num_pairs() const { return static_cast<std::int64_t>(axis.size()); }
};

/// `factors` divides the frequencies, [n_rot / 2]; empty: none. `num_axes`: P of the positions.
RopeFrequencies rope_frequencies(const RopeOptions& options, const std::vector<float>& factors,
                                 std::int64_t num_axes);

/// Whether the pairs of two nodes turn alike. Their styles, which say what the pairs are, may
/// differ.
bool turn_alike(const RopeOptions& a, const RopeOptions& b);

}  // namespace vernal::backend

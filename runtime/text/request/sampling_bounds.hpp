// Which values sampling settings may have: the one table for deployments, profiles and requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace vernal {

/// Both ends are allowed.
struct SamplingBounds {
  double least;
  double most;
};

inline constexpr SamplingBounds kTemperatureBounds{0, 2};  // 0: the likeliest token
inline constexpr SamplingBounds kTopPBounds{0, 1};
inline constexpr SamplingBounds kMinPBounds{0, 1};
inline constexpr SamplingBounds kTopKBounds{0, std::numeric_limits<std::int32_t>::max()};  // 0: all
inline constexpr SamplingBounds kRepetitionPenaltyBounds{0.01, 100};
inline constexpr SamplingBounds kPresencePenaltyBounds{-2, 2};
inline constexpr SamplingBounds kFrequencyPenaltyBounds{-2, 2};
inline constexpr SamplingBounds kLogitBiasBounds{-100, 100};
inline constexpr std::size_t kMaxLogitBiases = 4096;

}  // namespace vernal

// Kinds of JSON values.
#pragma once

#include <cstdint>

namespace vernal::grammar {

/// Any of the following, or-ed.
using ValueKinds = std::uint8_t;

inline constexpr ValueKinds kNulls = 1;
inline constexpr ValueKinds kBooleans = 2;
inline constexpr ValueKinds kNumbers = 4;
inline constexpr ValueKinds kStrings = 8;
inline constexpr ValueKinds kArrays = 16;
inline constexpr ValueKinds kObjects = 32;
inline constexpr ValueKinds kAllValues = 63;

}  // namespace vernal::grammar

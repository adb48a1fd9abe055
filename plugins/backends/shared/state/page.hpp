// A page of keys and values, as every backend counts them.
#pragma once

#include <cstdint>

namespace vernal::backend {

/// Positions that a page holds.
inline constexpr std::int64_t kPageTokens = 64;

/// A page of a group, by number.
using PageId = std::uint32_t;

}  // namespace vernal::backend

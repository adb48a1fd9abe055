// The number of a token in its vocabulary.
#pragma once

#include <cstdint>

namespace vernal {

/// Index into the vocabulary, from 0. Negative values name no token.
using TokenId = std::int32_t;

/// "The vocabulary has no such token."
inline constexpr TokenId kNoToken = -1;

}  // namespace vernal

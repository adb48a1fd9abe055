// The number of a token in its vocabulary.
#pragma once

#include <cstdint>

namespace vernal {

/// The index of a token in its vocabulary, from 0. Negative values are no tokens.
using TokenId = std::int32_t;

/// Means that the vocabulary has no such token.
inline constexpr TokenId kNoToken = -1;

}  // namespace vernal

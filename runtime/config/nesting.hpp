// The depth of a TOML text, looked at before the parser builds its tree.
#pragma once

#include <string_view>

#include "config/source_place.hpp"

namespace vernal {

/// Parts of one dotted key, and brackets or braces around one value, that a file may have. The
/// deepest thing a deployment says, layers = [{ backend = "gpu" }] in [models.NAME], needs two of
/// each. The parser follows dots without a bound and frees its tree by recursion, so that a
/// megabyte of dots would end the process on its stack.
inline constexpr int kMostNested = 16;

/// Throws Error(INVALID_ARGUMENT) with the place where `text` gets deeper than kMostNested. Text
/// that is not TOML is let through up to its first mistake, where the parser stops as well.
void check_nesting(std::string_view text, std::string_view file);

}  // namespace vernal

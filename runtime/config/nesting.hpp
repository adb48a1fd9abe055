// Limits how deeply a TOML text is nested, before the parser reads it.
#pragma once

#include <string_view>

#include "config/source_place.hpp"

namespace vernal {

/// The most parts of one dotted key, and the most brackets or braces around one value. A deployment
/// needs two of each at most: layers = [{ backend = "gpu" }] in [models.NAME]. The parser itself has
/// no bound for dots and frees its tree by recursion: a megabyte of dots would overflow the stack.
inline constexpr int kMostNested = 16;

/// Checks `text` up to its first syntax error, where the parser stops as well.
/// Errors  INVALID_ARGUMENT, with the place where `text` is nested deeper than kMostNested
void check_nesting(std::string_view text, std::string_view file);

}  // namespace vernal

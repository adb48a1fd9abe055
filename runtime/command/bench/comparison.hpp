// Two results of `vernal bench` side by side.
#pragma once

#include <string>

#include "command/bench/result.hpp"

namespace vernal {

/// A table of all speeds that both measured at the same depth, with the second's ratio to the first; above
/// it what the two ran on, and below it how many speeds only one of them has.
/// Errors  INVALID_ARGUMENT: they have no speed in common
std::string comparison_text(const BenchResult& first, const BenchResult& second);

}  // namespace vernal

// What the core asks a module about its outputs.
#pragma once

#include <cstdint>

#include "vernal/module.hpp"

namespace vernal {

/// Columns of the logits of "main": the size of the vocabulary it scores.
/// Errors  INVALID_ARGUMENT: the module has no such output.
std::uint64_t logits_columns(const Module& module);

}  // namespace vernal

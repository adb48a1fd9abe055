// What the core asks a module about its outputs.
#pragma once

#include <cstdint>
#include <string_view>

#include "vernal/module.hpp"

namespace vernal {

/// Whether "main" has an output of that name.
bool has_output(const Module& module, std::string_view name);

/// Columns of an output of "main" ("logits": the size of the vocabulary; "hidden": the model's
/// width). Errors  INVALID_ARGUMENT: the module has no such output.
std::uint64_t output_columns(const Module& module, std::string_view name);

}  // namespace vernal

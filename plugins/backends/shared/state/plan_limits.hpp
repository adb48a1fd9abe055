// What every plan needs of its options.
#pragma once

#include <string>

#include "vernal/backend_types.hpp"
#include "vernal/error.hpp"

namespace vernal::backend {

/// Errors  INVALID_ARGUMENT: an option that must be at least 1 is 0; the text names it
inline void require_positive_options(const PlanOptions& options) {
  const auto require = [](const char* option, std::uint64_t value) {
    if (value > 0) return;
    throw Error(VERNAL_INVALID_ARGUMENT,
                std::string("plan option ") + option + ": expected at least 1, found 0");
  };
  require("context_length", options.context_length);
  require("max_tokens_per_step", options.max_tokens_per_step);
  require("max_sequences", options.max_sequences);
  require("max_rows", options.max_rows);
  require("kv_tokens", options.kv_tokens);
}

}  // namespace vernal::backend

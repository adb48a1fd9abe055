// What a decode step of one token moves.
#pragma once

#include <cstdint>

#include "vernal/abi/backend.h"

namespace vernal {

/// Bytes that a token reads and writes after `depth` others of its sequence: weights, keys and values of
/// all positions, and states, which are written again.
inline std::uint64_t step_bytes(const vernal_plan_info& plan, std::uint64_t depth) {
  return plan.weight_bytes_per_step + depth * plan.bytes_per_kv_token + 2 * plan.bytes_per_sequence;
}

}  // namespace vernal

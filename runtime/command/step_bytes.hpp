// What a decode step of one token moves.
#pragma once

#include <cstdint>

#include "vernal/abi/backend.h"

namespace vernal {

/// Bytes that a token reads and writes after `depth` others of its sequence: weights, keys and values of
/// all positions, and states, which are written again. A sequence may keep older versions of its
/// states too, for tokens that are taken back; a checkpoint has what the next token reads.
inline std::uint64_t step_bytes(const vernal_plan_info& plan, std::uint64_t depth) {
  const bool has_versions =
      plan.bytes_per_checkpoint > 0 && plan.bytes_per_checkpoint < plan.bytes_per_sequence;
  const std::uint64_t states = has_versions ? plan.bytes_per_checkpoint : plan.bytes_per_sequence;
  return plan.weight_bytes_per_step + depth * plan.bytes_per_kv_token + 2 * states;
}

}  // namespace vernal

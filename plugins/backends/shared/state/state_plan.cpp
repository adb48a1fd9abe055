#include "shared/state/state_plan.hpp"

#include <string>

#include "shared/state/memory.hpp"
#include "vernal/error.hpp"

namespace vernal::backend {

namespace {

/// The size of a version or column, and how many of them a state has.
StatePlan::Entry parts_of(const State& state, std::int64_t rollback_depth) {
  constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));
  StatePlan::Entry entry;
  entry.kind = state.kind;
  entry.function = state.function;
  if (state.kind == VERNAL_STATE_RECURRENT) {
    entry.part_bytes = state.num_heads * state.key_dim * state.value_dim * kFloatBytes;
    entry.num_parts = rollback_depth + 1;
    entry.num_kept_parts = 1;
  } else if (state.kind == VERNAL_STATE_CONV) {
    entry.part_bytes = state.channels * kFloatBytes;
    entry.num_parts = state.width - 1 + rollback_depth;
    entry.num_kept_parts = entry.num_parts;
  }
  return entry;
}

}  // namespace

StatePlan::StatePlan(const Module& module, const PlanOptions& options)
    : is_exact_(module.functions.size(), false),
      max_sequences_(static_cast<std::int64_t>(options.max_sequences)),
      max_checkpoints_(static_cast<std::int64_t>(options.max_checkpoints)),
      rollback_depth_(options.rollback_depth) {
  if (!options.recurrent_format.empty() && options.recurrent_format != "f32") {
    throw Error(VERNAL_UNSUPPORTED, "recurrent_format \"" + options.recurrent_format +
                                        "\": this backend keeps recurrent states as \"f32\"");
  }
  for (const State& state : module.states) {
    Entry entry = parts_of(state, static_cast<std::int64_t>(rollback_depth_));
    entry.offset = slot_bytes_;
    entry.kept_offset = checkpoint_bytes_;
    slot_bytes_ += aligned_bytes(entry.part_bytes * entry.num_parts);
    checkpoint_bytes_ += aligned_bytes(entry.part_bytes * entry.num_kept_parts);
    if (entry.part_bytes * entry.num_parts > 0) is_exact_[state.function] = true;
    entries_.push_back(entry);
  }
}

}  // namespace vernal::backend

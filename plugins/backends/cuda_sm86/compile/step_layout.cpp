#include "compile/step_layout.hpp"

#include "shared/state/memory.hpp"

namespace vernal::cuda_sm86 {

using backend::aligned_bytes;

namespace {

/// Numbers of an input in the greatest step.
std::int64_t most_numbers(const InputSlot& slot, const PlanOptions& options) {
  switch (slot.leading) {
    case VERNAL_DIM_ROWS:
      return slot.factor * static_cast<std::int64_t>(options.max_rows);
    case VERNAL_DIM_SEQUENCES:
      return slot.factor * static_cast<std::int64_t>(options.max_sequences);
    case VERNAL_DIM_TOKENS:
    case VERNAL_DIM_EXTERNAL:
      return slot.factor * static_cast<std::int64_t>(options.max_tokens_per_step);
    default:
      return slot.factor;
  }
}

}  // namespace

StepLayout::StepLayout(const CompiledFunction& function, std::size_t index,
                       const PlanOptions& options, const backend::KvPlan& kv)
    : page_ids_at(kv.groups().size(), -1),
      inputs_at(function.inputs.size(), 0),
      input_room(inputs_at) {
  const auto place = [this](std::int64_t size) {
    const std::int64_t at = bytes;
    bytes += aligned_bytes(size);
    return at;
  };
  const auto max_sequences = static_cast<std::int64_t>(options.max_sequences);
  most_pages = (static_cast<std::int64_t>(options.context_length) + backend::kPageTokens - 1) /
               backend::kPageTokens;
  counts_at = place(sizeof(StepCounts));
  token_sequence_at = place(static_cast<std::int64_t>(options.max_tokens_per_step) * 4);
  sequences_at = place(max_sequences * static_cast<std::int64_t>(sizeof(SequencePart)));
  for (std::size_t g = 0; g < kv.groups().size(); ++g) {
    const backend::KvGroup& group = kv.groups()[g];
    if (group.function != index || group.page_bytes == 0) continue;
    page_ids_at[g] = place(max_sequences * most_pages * 4);
  }
  for (const bool floats : {false, true}) {
    if (floats) head_bytes = bytes;
    for (std::size_t i = 0; i < function.inputs.size(); ++i) {
      const InputSlot& slot = function.inputs[i];
      if ((slot.element != VERNAL_ELEMENT_I32) != floats) continue;
      input_room[i] = most_numbers(slot, options);
      inputs_at[i] = place(input_room[i] * 4);
    }
  }
}

}  // namespace vernal::cuda_sm86

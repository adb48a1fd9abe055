#include "shared/compile/step_io.hpp"

#include <algorithm>

namespace vernal::backend {

const vernal_step_input* find_input(const StepBatch& batch, const InputSlot& slot) {
  const auto found = std::ranges::find_if(
      batch.inputs, [&](const vernal_step_input& in) { return view(in.name) == slot.name; });
  return found == batch.inputs.end() ? nullptr : &*found;
}

void check_range(const InputSlot& slot, const void* data, std::int64_t count,
                 const StepBatch& batch) {
  const std::int64_t limit =
      slot.limit == VERNAL_DIM_TOKENS ? static_cast<std::int64_t>(batch.num_tokens) : slot.limit;
  if (limit <= 0) return;
  const auto* numbers = static_cast<const std::int32_t*>(data);
  for (std::int64_t i = 0; i < count; ++i) {
    if (numbers[i] >= 0 && numbers[i] < limit) continue;
    throw Error(VERNAL_INVALID_ARGUMENT, "step: input \"" + slot.name + "\", number " +
                                             std::to_string(i) + ": expected 0 to " +
                                             std::to_string(limit - 1) + ", found " +
                                             std::to_string(numbers[i]));
  }
}

}  // namespace vernal::backend

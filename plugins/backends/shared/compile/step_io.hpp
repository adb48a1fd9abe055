// What a step brings to a compiled function and takes from it.
#pragma once

#include <cstdint>
#include <string>

#include "shared/compile/buffer_planner.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::backend {

/// A number of rows that depends on the step: tokens, rows wanted, or neither, times a constant.
struct RowCount {
  std::int64_t leading = 1;  ///< VERNAL_DIM_TOKENS, VERNAL_DIM_ROWS, or 1
  std::int64_t factor = 1;
};

/// A value as rows of numbers: everything but the last dimension counts rows.
struct RowShape {
  RowCount rows;
  std::int64_t num_columns = 1;
};

/// Data that a step brings along.
struct InputSlot {
  std::string name;
  std::uint32_t element = VERNAL_ELEMENT_F32;
  std::int64_t leading = VERNAL_DIM_TOKENS;  ///< VERNAL_DIM_* or 1
  std::int64_t factor = 1;                   ///< numbers per leading index
  /// Integers must be at least 0 and below this. VERNAL_DIM_TOKENS: below T; 0: any number.
  std::int64_t limit = 0;

  /// Numbers of it in a step.
  std::int64_t count(const StepBatch& batch) const {
    return (leading < 0 ? batch.dimension(leading) : 1) * factor;
  }
};

/// A result that stays until the step is released.
struct OutputSlot {
  std::string name;
  BufferId buffer = kNoBuffer;
  RowCount rows;
  std::int64_t num_columns = 0;
};

/// The input of a step that fills a slot, or null: the step has none of that name.
const vernal_step_input* find_input(const StepBatch& batch, const InputSlot& slot);

/// Refuses integers outside the slot's limit. Ids come from outside and index memory.
///   data    `count` numbers in host memory
/// Errors  INVALID_ARGUMENT: names the input, the number's place, and both bounds
void check_range(const InputSlot& slot, const void* data, std::int64_t count,
                 const StepBatch& batch);

}  // namespace vernal::backend

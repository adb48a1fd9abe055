// Where the data of a step lies: one block of memory, filled on the host and copied to the device,
// with everything at the same place in every step of a function.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/compiled_function.hpp"

namespace vernal::cuda_sm86 {

struct StepLayout {
  StepLayout(const CompiledFunction& function, std::size_t index, const PlanOptions& options,
             const backend::KvPlan& kv);

  std::int64_t counts_at = 0;             ///< StepCounts
  std::int64_t token_sequence_at = 0;     ///< i32 [most tokens]
  std::int64_t sequences_at = 0;          ///< SequencePart [most sequences]
  std::vector<std::int64_t> page_ids_at;  ///< by group: u32 [most sequences][most_pages]; -1: none
  std::vector<std::int64_t> inputs_at;    ///< by input of the function
  std::vector<std::int64_t> input_room;   ///< numbers that there is room for, likewise
  std::int64_t most_pages = 0;
  std::int64_t head_bytes = 0;  ///< all but inputs of floats: what every step copies
  std::int64_t bytes = 0;
};

}  // namespace vernal::cuda_sm86

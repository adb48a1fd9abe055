// A function of a segment's module, as far as whoever runs its steps must know it.
#pragma once

#include <cstdint>
#include <string>

namespace vernal {

/// What a function takes and gives, by the reserved names of sdk/spec/operations.md, section 2.
struct StepFunction {
  std::string name;         ///< "main", "mtp"
  std::uint64_t index = 0;  ///< in its module
  bool takes_ids = false;
  bool takes_rows = false;
  std::uint32_t position_axes = 0;          ///< columns of its input `positions`; 0: it has none
  std::uint64_t hidden_input_columns = 0;   ///< of its input `hidden`; 0: it has none
  std::uint64_t hidden_output_columns = 0;  ///< of its output `hidden`, all rows; 0: it has none
  std::uint64_t logits_columns = 0;         ///< of its output `logits`; 0: it has none
  bool logits_have_all_rows = false;        ///< one for each token, not only for the rows wanted
};

}  // namespace vernal

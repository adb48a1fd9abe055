// Changes what steps give: the base of faults that show in numbers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "zoo.hpp"

namespace zoo {

/// What is known of a step when its output is asked for.
struct StepFacts {
  std::uint64_t num_tokens = 0;
  std::vector<vernal_step_sequence> parts;
  std::vector<bool> is_zero_row;        // of the input "x"
  std::vector<std::int32_t> positions;  // the input of that name, with one axis
};

/// The numbers of an output, row-major.
struct Numbers {
  std::vector<float>& values;
  std::uint64_t columns;
  std::uint64_t rows() const { return values.size() / columns; }
  void scale(std::uint64_t row, float factor) {
    for (std::uint64_t i = 0; i < columns; ++i) values[row * columns + i] *= factor;
  }
};

/// From now on every output passes through `change`.
void change_outputs(Tables& shown, void (*change)(const StepFacts& facts, Numbers& numbers));

}  // namespace zoo

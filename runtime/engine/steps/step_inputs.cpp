#include "engine/steps/step_inputs.hpp"

#include <fmt/format.h>

#include "vernal/error.hpp"

namespace vernal {
namespace {

// Tokens of a chunk. A chunk without ids is counted by its rows of hidden state.
std::size_t count_tokens(const StepChunk& chunk, const StepFunction& function) {
  const bool has_ids_alone = function.hidden_input_columns == 0;
  return function.takes_ids || has_ids_alone ? chunk.tokens.size()
                                             : chunk.hidden.size() / function.hidden_input_columns;
}

[[noreturn]] void refuse(const StepChunk& chunk, const StepFunction& function,
                         const std::string& why) {
  throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("step of function \"{}\", sequence {}: {}",
                                                   function.name, chunk.sequence, why));
}

void require_fit(const StepChunk& chunk, const StepFunction& function, std::size_t count) {
  if (count == 0) {
    refuse(chunk, function, "expected at least one token, found none");
  }
  if (!function.takes_ids && !chunk.tokens.empty()) {
    refuse(chunk, function,
           fmt::format("it takes no token ids, found {} of them", chunk.tokens.size()));
  }
  if (chunk.num_rows > count) {
    refuse(chunk, function,
           fmt::format("{} rows of logits are wanted of {} tokens", chunk.num_rows, count));
  }
  if (const std::size_t expected = count * function.hidden_input_columns;
      chunk.hidden.size() != expected) {
    refuse(chunk, function,
           fmt::format("expected {} numbers of hidden state for {} tokens, found {}", expected,
                       count, chunk.hidden.size()));
  }
  if (const std::size_t expected = count * function.position_axes;
      !chunk.positions.empty() && chunk.positions.size() != expected) {
    refuse(chunk, function,
           fmt::format("expected {} positions for {} tokens on {} axes, found {}", expected, count,
                       function.position_axes, chunk.positions.size()));
  }
  if (chunk.wants_hidden && function.hidden_output_columns == 0) {
    refuse(chunk, function, "its hidden state is wanted, which the function does not give");
  }
}

}  // namespace

void StepInputs::gather(std::span<const StepChunk> chunks, const StepFunction& function) {
  num_tokens_ = 0;
  wants_hidden_ = false;
  ids_.clear();
  positions_.clear();
  rows_.clear();
  sequences_.clear();
  gathered_hidden_.clear();
  for (const StepChunk& chunk : chunks) {
    append(chunk, function);
  }
  hidden_ = gathered_hidden_;
  if (chunks.size() == 1) {
    hidden_ = chunks.front().hidden;
  } else if (function.hidden_input_columns > 0) {
    for (const StepChunk& chunk : chunks) {
      gathered_hidden_.insert(gathered_hidden_.end(), chunk.hidden.begin(), chunk.hidden.end());
    }
    hidden_ = gathered_hidden_;
  }
  if (rows_.empty()) {
    rows_.push_back(static_cast<std::int32_t>(num_tokens_) - 1);
  }
}

void StepInputs::append(const StepChunk& chunk, const StepFunction& function) {
  const std::size_t count = count_tokens(chunk, function);
  require_fit(chunk, function, count);
  ids_.insert(ids_.end(), chunk.tokens.begin(), chunk.tokens.end());
  append_positions(chunk, count, function.position_axes);
  for (std::size_t i = count - chunk.num_rows; i < count; ++i) {
    rows_.push_back(static_cast<std::int32_t>(num_tokens_ + i));
  }
  sequences_.push_back({chunk.sequence, num_tokens_, count, chunk.first_position});
  num_tokens_ += count;
  wants_hidden_ = wants_hidden_ || chunk.wants_hidden;
}

void StepInputs::append_positions(const StepChunk& chunk, std::size_t count,
                                  std::uint32_t position_axes) {
  if (!chunk.positions.empty()) {
    positions_.insert(positions_.end(), chunk.positions.begin(), chunk.positions.end());
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto position = static_cast<std::int32_t>(chunk.first_position + i);
    positions_.insert(positions_.end(), position_axes, position);
  }
}

std::span<const plugin::StepInput> StepInputs::inputs_of(const StepFunction& function,
                                                         std::span<const float> hidden) {
  std::size_t count = 0;
  if (function.takes_ids) {
    inputs_[count++] = plugin::StepInput::host<std::int32_t>("ids", ids_);
  }
  if (function.hidden_input_columns > 0) {
    inputs_[count++] = plugin::StepInput::host<float>("hidden", hidden.empty() ? hidden_ : hidden);
  }
  if (function.position_axes > 0) {
    inputs_[count++] = plugin::StepInput::host<std::int32_t>("positions", positions_);
  }
  if (function.takes_rows) {
    inputs_[count++] = plugin::StepInput::host<std::int32_t>("rows", rows_);
  }
  return std::span(inputs_).first(count);
}

}  // namespace vernal

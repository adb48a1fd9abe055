// The chunks of a step as the token-major arrays of the plugin interface.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/step_model.hpp"
#include "engine/steps/step_function.hpp"
#include "plugin/backend_client.hpp"

namespace vernal {

/// Holds the arrays from step to step, so that a step allocates nothing once it has seen the
/// largest. Engine thread.
class StepInputs {
 public:
  /// Takes over the chunks of a step. Rows of hidden state of a single chunk are not copied: they
  /// must live until the step is submitted.
  ///   function   over all segments: it takes what the first takes and gives what the last gives
  /// Errors   INVALID_ARGUMENT: a chunk that the function cannot take
  void gather(std::span<const StepChunk> chunks, const StepFunction& function);

  std::size_t num_tokens() const noexcept { return num_tokens_; }
  /// Indices of the tokens whose logits are wanted, ascending. At least one, as a step must have.
  std::span<const std::int32_t> rows() const noexcept { return rows_; }
  /// Of the chunks. The sequence ids are the caller's, so that it can put in those of a segment.
  std::span<StepSequence> sequences() noexcept { return sequences_; }
  bool wants_hidden() const noexcept { return wants_hidden_; }

  /// The inputs that `function` takes. Lives until the next call.
  ///   hidden   what an earlier segment gave, [num_tokens, width]; empty: the chunks' own rows
  std::span<const plugin::StepInput> inputs_of(const StepFunction& function,
                                               std::span<const float> hidden);

 private:
  void append(const StepChunk& chunk, const StepFunction& function);
  void append_positions(const StepChunk& chunk, std::size_t count, std::uint32_t position_axes);

  std::size_t num_tokens_ = 0;
  bool wants_hidden_ = false;
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> rows_;
  std::vector<StepSequence> sequences_;
  std::span<const float> hidden_;       // of all chunks
  std::vector<float> gathered_hidden_;  // behind hidden_, if there are several chunks
  std::array<plugin::StepInput, 4> inputs_;
};

}  // namespace vernal

// What computes the steps of a model, as the engine sees it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "text/tokenizer/token_id.hpp"
#include "vernal/error.hpp"

namespace vernal {

/// A sequence of a StepModel. 0 is never valid. A released id is refused with NOT_FOUND.
using SequenceId = std::uint64_t;

/// A state of a sequence that a StepModel keeps aside. 0 is never valid.
using CheckpointId = std::uint64_t;

/// A function of a model (sdk/spec/operations.md, section 2), numbered by its StepModel.
using FunctionId = std::uint32_t;
/// The function "main", which every model has.
inline constexpr FunctionId kMainFunction = 0;

/// A wait for a step needs a time limit. Whoever waits so long waits again, until the step ends.
inline constexpr std::chrono::milliseconds kStepWaitSlice{1000};

/// One sequence's part of a step: its next tokens in one function. All memory is the caller's and is
/// read before begin_step returns.
struct StepChunk {
  SequenceId sequence = 0;
  std::uint64_t first_position = 0;  ///< length of the sequence in that function before the step
  /// The ids, at least one. Empty only for a function that takes rows of hidden state alone.
  std::span<const TokenId> tokens = {};
  std::uint32_t num_rows = 0;  ///< logits are wanted of the last num_rows tokens
  /// The same for all chunks of a step, because a backend runs one function in a step.
  FunctionId function = kMainFunction;
  /// f32 [tokens, width of the model], for a function that takes rows of hidden state; else empty.
  std::span<const float> hidden = {};
  /// [tokens, position axes of the function]. Empty: token i is at first_position + i on every axis.
  std::span<const std::int32_t> positions = {};
  bool wants_hidden = false;  ///< the step's rows of hidden state are read, see StepModel::hidden
};

/// What a StepModel can do and how much it holds.
struct StepModelInfo {
  std::uint64_t capacity_tokens = 0;  ///< positions the pool holds in all
  std::uint64_t free_tokens = 0;
  bool truncates_anywhere = false;  ///< truncate() and fork() accept any shorter length
  bool is_chunk_invariant = false;  ///< results do not depend on where chunks end
  /// Products of layers in host memory that a device has computed, since the model was loaded.
  std::uint64_t streamed_products = 0;
};

/// Sequences and steps of one model, over however many backends it is spread. The engine thread of
/// the model makes every call, from open() to the destructor. Calls throw vernal::Error with the
/// backend's status. DEVICE_LOST means that the model has to be loaded again.
class StepModel {
 public:
  StepModel() = default;
  StepModel(const StepModel&) = delete;
  StepModel& operator=(const StepModel&) = delete;
  virtual ~StepModel() = default;

  /// Called once, before all others. Creates what belongs to the engine thread.
  virtual void open() = 0;
  virtual StepModelInfo info() const = 0;
  /// The function of that name, such as "mtp". Nothing: the model was loaded without it.
  virtual std::optional<FunctionId> find_function(std::string_view name) const {
    return name == "main" ? std::optional(kMainFunction) : std::nullopt;
  }

  /// Nothing: no room for another sequence.
  virtual std::optional<SequenceId> create_sequence() = 0;
  virtual void release_sequence(SequenceId sequence) noexcept = 0;
  /// Positions that the sequence has in a function.
  virtual std::uint64_t length(SequenceId sequence, FunctionId function) = 0;
  /// Reserves room for num_tokens more positions, all or nothing. False: the pool has not that much
  /// left and nothing changed.
  virtual bool reserve(SequenceId sequence, std::uint64_t num_tokens) = 0;
  /// The greatest position up to `length` that truncate() accepts now. 0 always is one.
  virtual std::uint64_t restorable(SequenceId sequence, std::uint64_t length) = 0;
  /// Cuts the sequence to `length` positions in "main", and to at most as many in every other
  /// function. False: the state at that length is gone and nothing changed.
  virtual bool truncate(SequenceId sequence, std::uint64_t length) = 0;
  /// Makes a sequence that begins as the first `position` tokens of `source`. Both go on
  /// independently. Nothing: no room, or the state at that position is gone.
  virtual std::optional<SequenceId> fork(SequenceId source, std::uint64_t position) = 0;

  /// Keeps the state of a sequence at its length. Nothing: no room, or a model without checkpoints.
  virtual std::optional<CheckpointId> create_checkpoint(SequenceId /*sequence*/) {
    return std::nullopt;
  }
  virtual void release_checkpoint(CheckpointId /*checkpoint*/) noexcept {}
  /// Makes a sequence what the checkpoint is, whatever it was before. The checkpoint stays. After an
  /// error the sequence can only be released.
  virtual void restore(SequenceId /*sequence*/, CheckpointId /*checkpoint*/) {
    throw Error(VERNAL_UNSUPPORTED, "this model keeps no checkpoints");
  }

  /// Starts a step over the chunks, whose sequences differ. Exactly one step runs at a time. The
  /// work may be done here or in wait_step. After an error there is no step to wait for nor to end.
  /// Errors   INVALID_ARGUMENT: a chunk that its function cannot take; else the backend's
  virtual void begin_step(std::span<const StepChunk> chunks) = 0;
  /// Waits for the step. False: it has not ended after `timeout`. After an error the step has ended.
  virtual bool wait_step(std::chrono::milliseconds timeout) = 0;
  /// Logits of row `row` of the finished step: float[vocabulary_size]. Rows are counted over the
  /// chunks in their order. Lives until end_step.
  virtual std::span<const float> logits(std::size_t row) const = 0;
  /// Hidden state of token `token` of the finished step: float[width of the model]. Tokens are
  /// counted over the chunks in their order, whichever rows of logits they want. Lives until
  /// end_step.
  /// Errors   UNSUPPORTED: no chunk asked for it
  virtual std::span<const float> hidden(std::size_t /*token*/) const {
    throw Error(VERNAL_UNSUPPORTED, "this step gives no hidden state");
  }
  /// Ends a step after wait_step returned true or threw.
  virtual void end_step() noexcept = 0;
};

}  // namespace vernal

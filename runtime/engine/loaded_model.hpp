// What the engine needs of a model that is ready to run: its text side and the thing that executes
// steps.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "text/tokenizer/token_id.hpp"
#include "vernal/error.hpp"

namespace vernal {

class ChatTemplate;
class Tokenizer;

/// A sequence of a StepModel. 0 is never valid; a stale id is refused with NOT_FOUND.
using SequenceId = std::uint64_t;

/// A state of a sequence that a StepModel keeps aside. 0 is never valid.
using CheckpointId = std::uint64_t;

/// The next tokens of one sequence in a step.
struct StepChunk {
  SequenceId sequence = 0;
  std::uint64_t first_position = 0;  ///< = length of the sequence before the step
  std::span<const TokenId> tokens;   ///< at least one; read before begin_step returns
  std::uint32_t num_rows = 0;        ///< logits are wanted of the last num_rows tokens
};

/// What a StepModel can do and how much it holds.
struct StepModelInfo {
  std::uint64_t capacity_tokens = 0;  ///< positions the pool holds in all
  std::uint64_t free_tokens = 0;
  bool truncates_anywhere = false;  ///< truncate() and fork() accept any shorter length
  bool steps_are_atomic = false;    ///< a failed step leaves its sequences as they were
};

/// Sequences and steps of one model, over however many backends it is spread. The engine thread of
/// the model makes every call, from open() to the destructor. Calls throw vernal::Error with the
/// backend's status; DEVICE_LOST means that the model has to be loaded again.
class StepModel {
 public:
  StepModel() = default;
  StepModel(const StepModel&) = delete;
  StepModel& operator=(const StepModel&) = delete;
  virtual ~StepModel() = default;

  /// Called once, before all others: creates what belongs to the engine thread.
  virtual void open() = 0;
  virtual StepModelInfo info() const = 0;

  /// Nothing: no room for another sequence.
  virtual std::optional<SequenceId> create_sequence() = 0;
  virtual void release_sequence(SequenceId sequence) noexcept = 0;
  /// Room for num_tokens more positions, all or nothing. False: the pool has not that much left;
  /// nothing changed.
  virtual bool reserve(SequenceId sequence, std::uint64_t num_tokens) = 0;
  /// The greatest position up to `length` that truncate() accepts now; 0 always is one.
  virtual std::uint64_t restorable(SequenceId sequence, std::uint64_t length) = 0;
  /// Cuts the sequence to `length` positions. False: not restorable there; nothing changed.
  virtual bool truncate(SequenceId sequence, std::uint64_t length) = 0;
  /// A new sequence that begins as the first `position` tokens of `source`; both go on
  /// independently. Nothing: no room, or not restorable there.
  virtual std::optional<SequenceId> fork(SequenceId source, std::uint64_t position) = 0;

  /// Keeps the state of a sequence at its length. Nothing: no room, or a model without checkpoints.
  virtual std::optional<CheckpointId> create_checkpoint(SequenceId /*sequence*/) {
    return std::nullopt;
  }
  virtual void release_checkpoint(CheckpointId /*checkpoint*/) noexcept {}
  /// Makes a sequence what the checkpoint is, whatever it was; the checkpoint stays. After an error
  /// the sequence can only be released.
  virtual void restore(SequenceId /*sequence*/, CheckpointId /*checkpoint*/) {
    throw Error(VERNAL_UNSUPPORTED, "this model keeps no checkpoints");
  }

  /// Starts a step over the chunks, whose sequences differ. Exactly one step runs at a time. The
  /// work may be done here or in wait_step. After an error there is no step to wait for nor to end.
  virtual void begin_step(std::span<const StepChunk> chunks) = 0;
  /// Waits for the step. Returns false if it has not ended after `timeout`. After an error the step
  /// has ended.
  virtual bool wait_step(std::chrono::milliseconds timeout) = 0;
  /// Row `row` of the finished step, counted over the chunks in their order:
  /// float[vocabulary_size]. Lives until end_step.
  virtual std::span<const float> logits(std::size_t row) const = 0;
  /// Ends a step after wait_step returned true or threw.
  virtual void end_step() noexcept = 0;
};

/// What a model's requests may take.
struct RequestLimits {
  std::uint64_t max_open_requests = 256;            ///< running ones included
  std::chrono::milliseconds stall_timeout{60'000};  ///< how long a client may leave its events
  std::chrono::milliseconds pause_grace{2'000};  ///< after which its slot may go to somebody else
  std::chrono::milliseconds step_timeout{600'000};  ///< longer steps count as hung
};

/// A model as the loader hands it to the engine.
struct LoadedModel {
  std::string id;             ///< its name in the deployment
  std::string architecture;   ///< of the file
  std::string description;    ///< name and size, for people; may be empty
  std::uint64_t created = 0;  ///< Unix seconds: the file's modification time
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat_template;  ///< null: chat is refused, completions work
  std::shared_ptr<const ChatTemplate>
      tool_use_template;              ///< for requests with tools; null: that one
  std::string chat_template_problem;  ///< why there is none; may be empty
  std::uint64_t vocabulary_size = 0;  ///< columns of the logits
  std::uint64_t context_length = 0;   ///< most positions of one sequence
  std::uint32_t slots = 1;            ///< most live sequences, all of which may be in one step
  std::uint32_t max_tokens_per_step = 512;  ///< better at least slots + 64
  std::uint32_t max_checkpoints = 0;        ///< kept for later prompts, if not truncates_anywhere
  RequestLimits limits;
  std::unique_ptr<StepModel> steps;
};

}  // namespace vernal

// The step model: one or more backend pools, each of which runs a range of the model's layers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/step_model.hpp"
#include "engine/steps/step_function.hpp"
#include "engine/steps/step_inputs.hpp"
#include "plugin/backend_client.hpp"

namespace vernal {

/// Steps of a model that one backend runs whole, or that is spread over several
/// (sdk/spec/state.md, section 6). A function runs in the segments that have it, in their order. The
/// first takes what the chunks hold. Each gives the hidden states of all tokens, in host memory, to
/// the next. The last gives what the caller reads. A sequence here is one sequence in every segment,
/// all of one length.
class SegmentedStepModel final : public StepModel {
 public:
  struct Segment {
    std::function<plugin::BackendPool()> make_pool;  ///< called by open(), on the engine thread
    std::vector<StepFunction> functions;             ///< of its module
    /// Products that it has given to a device so far; may be empty.
    std::function<std::uint64_t()> streamed_products = {};
  };

  /// At least one segment, in the order of their layers. What the pools belong to outlives this
  /// object.
  /// Errors   INVALID_ARGUMENT: a segment without "main"; a function whose segments do not fit
  /// together
  explicit SegmentedStepModel(std::vector<Segment> segments);

  void open() override;
  StepModelInfo info() const override;
  std::optional<FunctionId> find_function(std::string_view name) const override;
  std::optional<SequenceId> create_sequence() override;
  void release_sequence(SequenceId sequence) noexcept override;
  std::uint64_t length(SequenceId sequence, FunctionId function) override;
  bool reserve(SequenceId sequence, std::uint64_t num_tokens) override;
  std::uint64_t restorable(SequenceId sequence, std::uint64_t length) override;
  bool truncate(SequenceId sequence, std::uint64_t length) override;
  std::optional<SequenceId> fork(SequenceId source, std::uint64_t position) override;
  std::optional<CheckpointId> create_checkpoint(SequenceId sequence) override;
  void release_checkpoint(CheckpointId checkpoint) noexcept override;
  void restore(SequenceId sequence, CheckpointId checkpoint) override;
  void begin_step(std::span<const StepChunk> chunks) override;
  bool wait_step(std::chrono::milliseconds timeout) override;
  std::span<const float> logits(std::size_t row) const override;
  std::span<const float> hidden(std::size_t token) const override;
  void end_step() noexcept override;

 private:
  struct Sequence {
    std::vector<vernal_sequence_id> parts;  // by segment
    std::uint64_t reserved = 0;             // length that it may grow to
  };
  struct Checkpoint {
    std::vector<vernal_checkpoint_id> parts;  // by segment, all made after the same step
  };
  // A segment that runs a function.
  struct Stage {
    std::size_t segment;
    StepFunction function;
  };
  // A function of the model.
  struct ModelFunction {
    StepFunction whole;  // takes what the first stage takes, gives what the last gives
    std::vector<Stage> stages;
  };

  void add_function(const std::string& name);
  // Makes one part of a sequence in each segment, or none at all.
  template <class MakePart>
  std::optional<SequenceId> create_parts(std::uint64_t length, MakePart&& make_part);
  void release_parts(const Checkpoint& checkpoint) noexcept;
  Sequence& find(SequenceId sequence);
  std::uint64_t length(const Sequence& sequence, const ModelFunction& function);
  bool is_last_stage() const noexcept { return stage_ + 1 == function_->stages.size(); }
  // Which outputs the stage has to give.
  bool gives_logits() const noexcept;
  bool gives_hidden() const noexcept;
  void submit();
  void take_outputs();

  const std::vector<Segment> segments_;
  std::vector<ModelFunction> functions_;    // by FunctionId
  std::vector<plugin::BackendPool> pools_;  // by segment
  std::unordered_map<SequenceId, Sequence> sequences_;
  std::unordered_map<CheckpointId, Checkpoint> checkpoints_;
  SequenceId next_id_ = 1;
  CheckpointId next_checkpoint_ = 1;

  // The step that runs.
  StepInputs inputs_;
  std::vector<SequenceId> step_sequences_;  // of its chunks
  const ModelFunction* function_ = nullptr;
  std::size_t stage_ = 0;  // of the function: who works on it
  std::optional<plugin::BackendStep> step_;
  StepOutput logits_{};  // of the last stage, when it has finished
  StepOutput hidden_{};  // of the stage that finished last
};

}  // namespace vernal

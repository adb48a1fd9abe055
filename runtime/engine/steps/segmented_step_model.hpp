// A StepModel over several backend pools, each of which runs a range of the model's layers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/loaded_model.hpp"
#include "plugin/backend_client.hpp"

namespace vernal {

/// Steps of a model that is spread over backends (sdk/spec/state.md, section 6). The first segment
/// takes token ids; each gives the hidden states of all tokens, in host memory, to the next; the
/// last gives logits. A sequence here is one sequence in every segment, all of one length.
class SegmentedStepModel final : public StepModel {
 public:
  struct Segment {
    std::function<plugin::BackendPool()> make_pool;  ///< called by open(), on the engine thread
    std::uint64_t num_columns = 0;  ///< of its output: width of the model, or of the logits
  };

  /// At least two segments, in the order of their layers. What the pools belong to outlives this
  /// object.
  explicit SegmentedStepModel(std::vector<Segment> segments);

  void open() override;
  StepModelInfo info() const override;
  std::optional<SequenceId> create_sequence() override;
  void release_sequence(SequenceId sequence) noexcept override;
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
  void end_step() noexcept override;

 private:
  struct Sequence {
    std::vector<vernal_sequence_id> parts;  // by segment
    std::uint64_t reserved = 0;             // length that it may grow to
  };
  struct Checkpoint {
    std::vector<vernal_checkpoint_id> parts;  // by segment, all made after the same step
  };
  void release_parts(const Checkpoint& checkpoint) noexcept;
  /// Makes one part of a sequence in each segment, or none at all.
  template <class MakePart>
  std::optional<SequenceId> create_parts(MakePart&& make_part);
  Sequence& find(SequenceId sequence);
  std::uint64_t length(const Sequence& sequence);
  void append(const StepChunk& chunk);
  void submit();
  void take_output();

  std::vector<Segment> segments_;
  std::vector<plugin::BackendPool> pools_;  // by segment
  std::unordered_map<SequenceId, Sequence> sequences_;
  std::unordered_map<CheckpointId, Checkpoint> checkpoints_;
  SequenceId next_id_ = 1;
  CheckpointId next_checkpoint_ = 1;

  // The step that runs.
  std::size_t stage_ = 0;  // the segment that works on it
  std::optional<plugin::BackendStep> step_;
  StepOutput output_{};  // of the last segment that finished
  // Inputs of the step; kept so that a step allocates nothing once it has seen the largest.
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> rows_;
  std::vector<StepSequence> batch_;    // sequence ids are those of the stage
  std::vector<SequenceId> batch_ids_;  // ours
};

}  // namespace vernal

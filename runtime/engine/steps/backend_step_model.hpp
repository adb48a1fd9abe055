// A StepModel over one backend pool.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/loaded_model.hpp"
#include "plugin/backend_client.hpp"

namespace vernal {

/// Steps of a model that one program runs whole.
class BackendStepModel final : public StepModel {
 public:
  struct Shape {
    std::uint64_t function = 0;         ///< index of `main` in the module
    std::uint64_t vocabulary_size = 0;  ///< columns of its output `logits`
    std::uint32_t num_position_axes =
        1;  ///< columns of its input `positions`, which all get the same number
  };

  /// `make_pool` is called by open(), on the engine thread. What the pool belongs to outlives this
  /// object.
  BackendStepModel(std::function<plugin::BackendPool()> make_pool, Shape shape);

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
  void append(const StepChunk& chunk);

  std::function<plugin::BackendPool()> make_pool_;
  const Shape shape_;
  std::optional<plugin::BackendPool> pool_;
  std::optional<plugin::BackendStep> step_;
  StepOutput logits_{};
  // Inputs of the step; kept so that a step allocates nothing once it has seen the largest.
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> positions_;
  std::vector<std::int32_t> rows_;
  std::vector<StepSequence> sequences_;
};

}  // namespace vernal

#include "engine/steps/backend_step_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {

BackendStepModel::BackendStepModel(std::function<plugin::BackendPool()> make_pool, Shape shape)
    : make_pool_(std::move(make_pool)), shape_(shape) {}

void BackendStepModel::open() { pool_.emplace(make_pool_()); }

StepModelInfo BackendStepModel::info() const {
  const vernal_pool_info info = pool_->info();
  return {info.capacity_tokens, info.free_tokens, (info.flags & VERNAL_POOL_TRUNCATE_ANY) != 0,
          (info.flags & VERNAL_POOL_STEP_ATOMIC) != 0};
}

std::optional<SequenceId> BackendStepModel::create_sequence() { return pool_->seq_create(); }

void BackendStepModel::release_sequence(SequenceId sequence) noexcept {
  try {
    pool_->seq_release(sequence);
  } catch (const std::exception&) {
    return;  // a sequence that the backend does not know needs no release
  }
}

bool BackendStepModel::reserve(SequenceId sequence, std::uint64_t num_tokens) {
  return pool_->seq_reserve(sequence, num_tokens);
}

std::uint64_t BackendStepModel::restorable(SequenceId sequence, std::uint64_t length) {
  return pool_->seq_restorable(sequence, length);
}

bool BackendStepModel::truncate(SequenceId sequence, std::uint64_t length) {
  return pool_->seq_truncate(sequence, length);
}

std::optional<SequenceId> BackendStepModel::fork(SequenceId source, std::uint64_t position) {
  return pool_->seq_fork(source, 0, position);
}

std::optional<CheckpointId> BackendStepModel::create_checkpoint(SequenceId sequence) {
  return pool_->checkpoint_create(sequence);
}

void BackendStepModel::release_checkpoint(CheckpointId checkpoint) noexcept {
  try {
    pool_->checkpoint_release(checkpoint);
  } catch (const std::exception&) {
    return;  // a checkpoint that the backend does not know needs no release
  }
}

void BackendStepModel::restore(SequenceId sequence, CheckpointId checkpoint) {
  pool_->seq_restore(sequence, checkpoint);
}

void BackendStepModel::begin_step(std::span<const StepChunk> chunks) {
  ids_.clear();
  positions_.clear();
  rows_.clear();
  sequences_.clear();
  for (const StepChunk& chunk : chunks) {
    append(chunk);
  }
  if (rows_.empty()) {  // a step has at least one row
    rows_.push_back(static_cast<std::int32_t>(ids_.size()) - 1);
  }
  const std::array inputs = {
      plugin::StepInput::host<std::int32_t>("ids", ids_),
      plugin::StepInput::host<std::int32_t>("positions", positions_),
      plugin::StepInput::host<std::int32_t>("rows", rows_),
  };
  constexpr std::array<std::string_view, 1> kOutputs = {"logits"};
  plugin::Step step;
  step.function = shape_.function;
  step.num_tokens = ids_.size();
  step.sequences = sequences_;
  step.rows = rows_;
  step.inputs = inputs;
  step.outputs = kOutputs;
  step_.emplace(pool_->submit(step));
}

bool BackendStepModel::wait_step(std::chrono::milliseconds timeout) {
  if (!step_->wait(static_cast<std::uint64_t>(std::max<std::int64_t>(timeout.count(), 1)))) {
    return false;
  }
  logits_ = step_->output("logits", rows_.size(), shape_.vocabulary_size);
  return true;
}

std::span<const float> BackendStepModel::logits(std::size_t row) const {
  if (row >= logits_.rows) {
    throw Error(VERNAL_INTERNAL, "more rows of logits are read than the step has");
  }
  return {logits_.data + row * logits_.columns, logits_.columns};
}

void BackendStepModel::end_step() noexcept {
  logits_ = {};
  step_.reset();
}

void BackendStepModel::append(const StepChunk& chunk) {
  const std::size_t start = ids_.size();
  const std::size_t count = chunk.tokens.size();
  ids_.insert(ids_.end(), chunk.tokens.begin(), chunk.tokens.end());
  for (std::size_t i = 0; i < count; ++i) {
    const auto position = static_cast<std::int32_t>(chunk.first_position + i);
    positions_.insert(positions_.end(), shape_.num_position_axes, position);
  }
  for (std::size_t i = count - chunk.num_rows; i < count; ++i) {
    rows_.push_back(static_cast<std::int32_t>(start + i));
  }
  sequences_.push_back({chunk.sequence, start, count, chunk.first_position});
}

}  // namespace vernal

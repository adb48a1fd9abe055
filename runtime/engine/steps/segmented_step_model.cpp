#include "engine/steps/segmented_step_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernal/error.hpp"

namespace vernal {
namespace {

void release_quietly(plugin::BackendPool& pool, vernal_sequence_id sequence) noexcept {
  try {
    pool.seq_release(sequence);
  } catch (const std::exception&) {
    return;  // a sequence that the backend does not know needs no release
  }
}

}  // namespace

SegmentedStepModel::SegmentedStepModel(std::vector<Segment> segments)
    : segments_(std::move(segments)) {}

void SegmentedStepModel::open() {
  for (const Segment& segment : segments_) pools_.push_back(segment.make_pool());
}

StepModelInfo SegmentedStepModel::info() const {
  StepModelInfo out{~std::uint64_t{0}, ~std::uint64_t{0}, true, false};
  for (const plugin::BackendPool& pool : pools_) {
    const vernal_pool_info info = pool.info();
    out.capacity_tokens = std::min(out.capacity_tokens, info.capacity_tokens);
    out.free_tokens = std::min(out.free_tokens, info.free_tokens);
    out.truncates_anywhere &= (info.flags & VERNAL_POOL_TRUNCATE_ANY) != 0;
  }
  return out;
}

// ---- sequences ----------------------------------------------------------------------------------

SegmentedStepModel::Sequence& SegmentedStepModel::find(SequenceId sequence) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("there is no sequence {}", sequence));
  }
  return found->second;
}

std::uint64_t SegmentedStepModel::length(const Sequence& sequence) {
  return pools_.front().seq_length(sequence.parts.front(), 0);
}

template <class MakePart>
std::optional<SequenceId> SegmentedStepModel::create_parts(MakePart&& make_part) {
  Sequence made;
  const auto give_back = [&] {
    for (std::size_t i = 0; i < made.parts.size(); ++i) release_quietly(pools_[i], made.parts[i]);
  };
  try {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      const std::optional<vernal_sequence_id> part = make_part(i);
      if (!part) {
        give_back();
        return std::nullopt;
      }
      made.parts.push_back(*part);
    }
    made.reserved = length(made);
    sequences_.emplace(next_id_, made);
  } catch (...) {
    give_back();
    throw;
  }
  return next_id_++;
}

std::optional<SequenceId> SegmentedStepModel::create_sequence() {
  return create_parts([&](std::size_t i) { return pools_[i].seq_create(); });
}

void SegmentedStepModel::release_sequence(SequenceId sequence) noexcept {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    release_quietly(pools_[i], found->second.parts[i]);
  }
  sequences_.erase(found);
}

bool SegmentedStepModel::reserve(SequenceId id, std::uint64_t num_tokens) {
  Sequence& sequence = find(id);
  const std::uint64_t now = length(sequence);
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].seq_reserve(sequence.parts[i], num_tokens)) continue;
    // Taken back where it worked: a cut to where a sequence is drops its room, and what it had
    // before is then still free.
    for (std::size_t j = 0; j < i; ++j) {
      if (!pools_[j].seq_truncate(sequence.parts[j], now) ||
          !pools_[j].seq_reserve(sequence.parts[j], sequence.reserved - now)) {
        throw Error(VERNAL_INTERNAL, "a backend lost room that a sequence had reserved");
      }
    }
    return false;
  }
  sequence.reserved = std::max(sequence.reserved, now + num_tokens);
  return true;
}

std::uint64_t SegmentedStepModel::restorable(SequenceId id, std::uint64_t length) {
  const Sequence& sequence = find(id);
  // A segment may offer less than another one did; until all offer the same.
  std::uint64_t position = length;
  for (std::size_t num_agreed = 0, i = 0; num_agreed < pools_.size(); i = (i + 1) % pools_.size()) {
    const std::uint64_t offered = pools_[i].seq_restorable(sequence.parts[i], position);
    num_agreed = offered == position ? num_agreed + 1 : 1;
    position = offered;
  }
  return position;
}

bool SegmentedStepModel::truncate(SequenceId id, std::uint64_t new_length) {
  Sequence& sequence = find(id);
  if (restorable(id, new_length) != new_length) return false;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (!pools_[i].seq_truncate(sequence.parts[i], new_length)) {
      throw Error(
          VERNAL_INTERNAL,
          fmt::format("a backend refused position {}, which it had called restorable", new_length));
    }
  }
  sequence.reserved = new_length;
  return true;
}

std::optional<SequenceId> SegmentedStepModel::fork(SequenceId source, std::uint64_t position) {
  const Sequence& from = find(source);
  return create_parts(
      [&](std::size_t i) { return pools_[i].seq_fork(from.parts[i], 0, position); });
}

// ---- checkpoints --------------------------------------------------------------------------------

std::optional<CheckpointId> SegmentedStepModel::create_checkpoint(SequenceId id) {
  const Sequence& sequence = find(id);
  Checkpoint made;
  try {
    for (std::size_t i = 0; i < pools_.size(); ++i) {
      const auto part = pools_[i].checkpoint_create(sequence.parts[i]);
      if (!part) {
        release_parts(made);
        return std::nullopt;
      }
      made.parts.push_back(*part);
    }
    checkpoints_.emplace(next_checkpoint_, made);
  } catch (...) {
    release_parts(made);
    throw;
  }
  return next_checkpoint_++;
}

void SegmentedStepModel::release_parts(const Checkpoint& checkpoint) noexcept {
  for (std::size_t i = 0; i < checkpoint.parts.size(); ++i) {
    try {
      pools_[i].checkpoint_release(checkpoint.parts[i]);
    } catch (const std::exception&) {
      continue;  // a checkpoint that the backend does not know needs no release
    }
  }
}

void SegmentedStepModel::release_checkpoint(CheckpointId checkpoint) noexcept {
  const auto found = checkpoints_.find(checkpoint);
  if (found == checkpoints_.end()) return;
  release_parts(found->second);
  checkpoints_.erase(found);
}

void SegmentedStepModel::restore(SequenceId id, CheckpointId checkpoint) {
  Sequence& sequence = find(id);
  const auto found = checkpoints_.find(checkpoint);
  if (found == checkpoints_.end()) {
    throw Error(VERNAL_NOT_FOUND, fmt::format("there is no checkpoint {}", checkpoint));
  }
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    pools_[i].seq_restore(sequence.parts[i], found->second.parts[i]);
  }
  sequence.reserved = length(sequence);
}

// ---- steps --------------------------------------------------------------------------------------

void SegmentedStepModel::begin_step(std::span<const StepChunk> chunks) {
  ids_.clear();
  positions_.clear();
  rows_.clear();
  batch_.clear();
  batch_ids_.clear();
  for (const StepChunk& chunk : chunks) append(chunk);
  if (rows_.empty()) {  // a step has at least one row
    rows_.push_back(static_cast<std::int32_t>(ids_.size()) - 1);
  }
  stage_ = 0;
  submit();
}

void SegmentedStepModel::append(const StepChunk& chunk) {
  const std::size_t start = ids_.size();
  const std::size_t count = chunk.tokens.size();
  ids_.insert(ids_.end(), chunk.tokens.begin(), chunk.tokens.end());
  for (std::size_t i = 0; i < count; ++i) {
    positions_.push_back(static_cast<std::int32_t>(chunk.first_position + i));
  }
  for (std::size_t i = count - chunk.num_rows; i < count; ++i) {
    rows_.push_back(static_cast<std::int32_t>(start + i));
  }
  batch_.push_back({0, start, count, chunk.first_position});
  batch_ids_.push_back(chunk.sequence);
}

// Hands the step to the segment of the stage. Its inputs are consumed when this returns.
void SegmentedStepModel::submit() {
  const bool is_first = stage_ == 0;
  const bool is_last = stage_ + 1 == segments_.size();
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    batch_[i].sequence = find(batch_ids_[i]).parts[stage_];
  }
  const std::span<const float> hidden(output_.data, output_.rows * output_.columns);
  const plugin::StepInput inputs[] = {
      is_first ? plugin::StepInput::host<std::int32_t>("ids", ids_)
               : plugin::StepInput::host<float>("hidden", hidden),
      plugin::StepInput::host<std::int32_t>("positions", positions_),
      plugin::StepInput::host<std::int32_t>("rows", rows_),
  };
  const std::string_view outputs[] = {is_last ? "logits" : "hidden"};
  plugin::Step step;
  step.num_tokens = ids_.size();
  step.sequences = batch_;
  step.rows = rows_;
  step.inputs = inputs;
  step.outputs = outputs;
  plugin::BackendStep next = pools_[stage_].submit(step);
  step_.emplace(std::move(next));  // the one before, whose output was read, is released here
  output_ = {};
}

void SegmentedStepModel::take_output() {
  const bool is_last = stage_ + 1 == segments_.size();
  output_ = step_->output(is_last ? "logits" : "hidden", is_last ? rows_.size() : ids_.size(),
                          segments_[stage_].num_columns);
}

bool SegmentedStepModel::wait_step(std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (!step_->wait(static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1)))) {
      return false;
    }
    take_output();
    if (stage_ + 1 == segments_.size()) return true;
    ++stage_;
    submit();
  }
}

std::span<const float> SegmentedStepModel::logits(std::size_t row) const {
  if (row >= output_.rows) {
    throw Error(VERNAL_INTERNAL, "more rows of logits are read than the step has");
  }
  return {output_.data + row * output_.columns, output_.columns};
}

void SegmentedStepModel::end_step() noexcept {
  output_ = {};
  step_.reset();
}

}  // namespace vernal

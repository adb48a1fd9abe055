#include "engine/steps/segmented_step_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

const StepFunction* find_in(const std::vector<StepFunction>& functions, std::string_view name) {
  const auto found = std::ranges::find(functions, name, &StepFunction::name);
  return found != functions.end() ? &*found : nullptr;
}

// Extends a function by the segment that goes on with it.
void join(StepFunction& whole, const StepFunction& next) {
  if (whole.hidden_output_columns == 0 ||
      whole.hidden_output_columns != next.hidden_input_columns || next.takes_ids) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("function \"{}\": a segment gives {} columns of hidden state, the next "
                            "takes {}{}",
                            whole.name, whole.hidden_output_columns, next.hidden_input_columns,
                            next.takes_ids ? " and token ids" : ""));
  }
  const bool has_axes = whole.position_axes != 0 && next.position_axes != 0;
  if (has_axes && whole.position_axes != next.position_axes) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("function \"{}\": a segment takes positions on {} axes, the next on {}",
                            whole.name, whole.position_axes, next.position_axes));
  }
  whole.position_axes = std::max(whole.position_axes, next.position_axes);
  whole.hidden_output_columns = next.hidden_output_columns;
  whole.logits_columns = next.logits_columns;
  whole.logits_have_all_rows = next.logits_have_all_rows;
}

}  // namespace

SegmentedStepModel::SegmentedStepModel(std::vector<Segment> segments)
    : segments_(std::move(segments)) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (find_in(segments_[i].functions, "main") == nullptr) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  fmt::format("segment {} of the model has no function \"main\"", i));
    }
  }
  if (segments_.empty()) throw Error(VERNAL_INVALID_ARGUMENT, "a model without segments");
  add_function("main");
  for (const Segment& segment : segments_) {
    for (const StepFunction& function : segment.functions) {
      if (!find_function(function.name)) add_function(function.name);
    }
  }
}

void SegmentedStepModel::add_function(const std::string& name) {
  ModelFunction made;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const StepFunction* part = find_in(segments_[i].functions, name);
    if (part == nullptr) continue;
    if (made.stages.empty()) {
      made.whole = *part;
    } else {
      join(made.whole, *part);
    }
    made.stages.push_back({i, *part});
  }
  functions_.push_back(std::move(made));
}

void SegmentedStepModel::open() {
  for (const Segment& segment : segments_) pools_.push_back(segment.make_pool());
}

std::optional<FunctionId> SegmentedStepModel::find_function(std::string_view name) const {
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    if (functions_[i].whole.name == name) return static_cast<FunctionId>(i);
  }
  return std::nullopt;
}

StepModelInfo SegmentedStepModel::info() const {
  StepModelInfo out{~std::uint64_t{0}, ~std::uint64_t{0}, true, true};
  for (const plugin::BackendPool& pool : pools_) {
    const vernal_pool_info info = pool.info();
    out.capacity_tokens = std::min(out.capacity_tokens, info.capacity_tokens);
    out.free_tokens = std::min(out.free_tokens, info.free_tokens);
    out.truncates_anywhere &= (info.flags & VERNAL_POOL_TRUNCATE_ANY) != 0;
    out.is_chunk_invariant &= (info.flags & VERNAL_POOL_CHUNK_INVARIANT) != 0;
  }
  for (const Segment& segment : segments_) {
    if (segment.streamed_products) out.streamed_products += segment.streamed_products();
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

std::uint64_t SegmentedStepModel::length(SequenceId sequence, FunctionId function) {
  return length(find(sequence), functions_.at(function));
}

std::uint64_t SegmentedStepModel::length(const Sequence& sequence, const ModelFunction& function) {
  const Stage& stage = function.stages.front();
  return pools_[stage.segment].seq_length(sequence.parts[stage.segment], stage.function.index);
}

template <class MakePart>
std::optional<SequenceId> SegmentedStepModel::create_parts(std::uint64_t length,
                                                           MakePart&& make_part) {
  Sequence made;
  made.reserved = length;
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
    sequences_.emplace(next_id_, made);
  } catch (...) {
    give_back();
    throw;
  }
  return next_id_++;
}

std::optional<SequenceId> SegmentedStepModel::create_sequence() {
  return create_parts(0, [&](std::size_t i) { return pools_[i].seq_create(); });
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
  const std::uint64_t now = length(sequence, functions_[kMainFunction]);
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].seq_reserve(sequence.parts[i], num_tokens)) continue;
    // Takes the room back where it was given. Cutting a sequence at its own length drops all its
    // room, and what it had before is still free then.
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
  const bool is_alone = pools_.size() == 1;
  // Several segments are asked first, so that none is cut while another refuses.
  if (!is_alone && restorable(id, new_length) != new_length) return false;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].seq_truncate(sequence.parts[i], new_length)) continue;
    if (is_alone) return false;
    throw Error(
        VERNAL_INTERNAL,
        fmt::format("a backend refused position {}, which it had called restorable", new_length));
  }
  sequence.reserved = new_length;
  return true;
}

std::optional<SequenceId> SegmentedStepModel::fork(SequenceId source, std::uint64_t position) {
  const Sequence& from = find(source);
  return create_parts(
      position, [&](std::size_t i) { return pools_[i].seq_fork(from.parts[i], 0, position); });
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
  sequence.reserved = length(sequence, functions_[kMainFunction]);
}

// ---- steps --------------------------------------------------------------------------------------

void SegmentedStepModel::begin_step(std::span<const StepChunk> chunks) {
  if (chunks.empty()) throw Error(VERNAL_INVALID_ARGUMENT, "a step without chunks");
  const FunctionId id = chunks.front().function;
  for (const StepChunk& chunk : chunks) {
    if (chunk.function != id || id >= functions_.size()) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  fmt::format("a step names function {} of {}, and function {} before",
                              chunk.function, functions_.size(), id));
    }
  }
  function_ = &functions_[id];
  inputs_.gather(chunks, function_->whole);
  step_sequences_.clear();
  for (const StepChunk& chunk : chunks) step_sequences_.push_back(chunk.sequence);
  stage_ = 0;
  logits_ = {};
  hidden_ = {};
  submit();
}

bool SegmentedStepModel::gives_logits() const noexcept {
  return function_->stages[stage_].function.logits_columns > 0;
}

bool SegmentedStepModel::gives_hidden() const noexcept {
  return !is_last_stage() || inputs_.wants_hidden() || !gives_logits();
}

// Hands the step to the stage. Its inputs are consumed when this returns.
void SegmentedStepModel::submit() {
  const Stage& stage = function_->stages[stage_];
  const std::span<StepSequence> sequences = inputs_.sequences();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    sequences[i].sequence = find(step_sequences_[i]).parts[stage.segment];
  }
  std::array<std::string_view, 2> outputs;
  std::size_t num_outputs = 0;
  if (gives_logits()) outputs[num_outputs++] = "logits";
  if (gives_hidden()) outputs[num_outputs++] = "hidden";
  plugin::Step step;
  step.function = stage.function.index;
  step.num_tokens = inputs_.num_tokens();
  step.sequences = sequences;
  step.rows = inputs_.rows();
  step.inputs = inputs_.inputs_of(stage.function, {hidden_.data, hidden_.rows * hidden_.columns});
  step.outputs = std::span(outputs).first(num_outputs);
  plugin::BackendStep next = pools_[stage.segment].submit(step);
  step_.emplace(std::move(next));  // releases the one before, whose output has been read
}

void SegmentedStepModel::take_outputs() {
  const StepFunction& function = function_->stages[stage_].function;
  hidden_ = {};
  if (gives_logits()) {
    const std::size_t num_rows =
        function.logits_have_all_rows ? inputs_.num_tokens() : inputs_.rows().size();
    logits_ = step_->output("logits", num_rows, function.logits_columns);
  }
  if (gives_hidden()) {
    hidden_ = step_->output("hidden", inputs_.num_tokens(), function.hidden_output_columns);
  }
}

bool SegmentedStepModel::wait_step(std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point until = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (!step_->wait(static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1)))) {
      return false;
    }
    take_outputs();
    if (is_last_stage()) return true;
    ++stage_;
    submit();
  }
}

std::span<const float> SegmentedStepModel::logits(std::size_t row) const {
  if (logits_.data == nullptr || row >= inputs_.rows().size()) {
    throw Error(VERNAL_INTERNAL, "more rows of logits are read than the step has");
  }
  const bool has_all = function_->whole.logits_have_all_rows;
  const std::size_t index = has_all ? static_cast<std::size_t>(inputs_.rows()[row]) : row;
  return {logits_.data + index * logits_.columns, logits_.columns};
}

std::span<const float> SegmentedStepModel::hidden(std::size_t token) const {
  if (!inputs_.wants_hidden()) {
    throw Error(VERNAL_UNSUPPORTED, "the hidden state is read, which no chunk of the step wants");
  }
  if (token >= hidden_.rows) {
    throw Error(VERNAL_INTERNAL, "more rows of hidden state are read than the step has");
  }
  return {hidden_.data + token * hidden_.columns, hidden_.columns};
}

void SegmentedStepModel::end_step() noexcept {
  logits_ = {};
  hidden_ = {};
  step_.reset();
}

}  // namespace vernal

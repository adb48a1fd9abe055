#include "state/pool.hpp"

#include <algorithm>
#include <string>

namespace vernal::cpu_avx2 {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(VERNAL_INVALID_ARGUMENT, "step: " + what);
}

/// Refuses an integer outside 0 .. limit - 1. Ids come from outside and index memory.
void check_range(const InputSlot& slot, const void* data, std::int64_t count, std::int64_t limit) {
  const auto* numbers = static_cast<const std::int32_t*>(data);
  for (std::int64_t i = 0; i < count; ++i) {
    if (numbers[i] < 0 || numbers[i] >= limit) {
      refuse("input \"" + slot.name + "\", number " + std::to_string(i) + ": expected 0 to " +
             std::to_string(limit - 1) + ", found " + std::to_string(numbers[i]));
    }
  }
}

ReservedMemory reserve_workspace(const CompiledModule& compiled) {
  return {std::max<std::int64_t>(
              compiled.arena_bytes + compiled.num_threads * compiled.scratch_bytes, 1),
          ReservedMemory::Pages::kLarge, "activations"};
}

std::vector<backend::KvPages> allocate_pages(backend::Memory& memory, const backend::KvPlan& plan) {
  std::vector<backend::KvPages> out;
  for (const backend::KvGroup& group : plan.groups())
    out.emplace_back(memory, group.num_pages, group.page_bytes);
  return out;
}

}  // namespace

Pool::Pool(const Program& program)
    : program_(program),
      pages_(allocate_pages(memory_, program.compiled().kv)),
      states_(memory_, program.compiled().states),
      sequences_(
          pages_, program.compiled().kv.groups(), states_,
          {program.compiled().options.context_length, program.compiled().options.max_sequences,
           program.compiled().options.max_checkpoints}),
      workspace_(reserve_workspace(program.compiled())),
      results_(std::max<std::int64_t>(kLiveSteps * program.compiled().output_bytes, 1),
               ReservedMemory::Pages::kSmall, "step results") {
  lock_what_steps_read();
  program.set_pool(this);
}

// All but what checkpoints keep.
void Pool::lock_what_steps_read() const {
  const MemoryLock lock = program_.compiled().lock;
  for (const auto& pages : pages_) {
    lock_memory(pages.data(), pages.allocated_bytes(), lock, "KV pool");
  }
  if (states_.plan().is_hybrid()) {
    lock_memory(states_.data(0), states_.slots_allocated(), lock, "recurrent state");
  }
  lock_memory(workspace_.data(), workspace_.bytes(), lock, "activations");
  lock_memory(results_.data(), results_.bytes(), lock, "step results");
}

void Pool::report_memory(std::vector<MemoryRow>& out) const {
  const backend::KvPlan& kv = program_.compiled().kv;
  std::int64_t kv_bytes = 0;
  std::int64_t window_bytes = 0;
  for (std::size_t g = 0; g < pages_.size(); ++g) {
    (kv.groups()[g].window == 0 ? kv_bytes : window_bytes) += pages_[g].allocated_bytes();
  }
  out.push_back(memory_row(MemoryObject::kKvCache, kv_bytes));
  if (kv.num_windows() > 0) out.push_back(memory_row(MemoryObject::kKvWindows, window_bytes));
  if (states_.plan().is_hybrid()) {
    out.push_back(memory_row(MemoryObject::kRecurrentState, states_.slots_allocated()));
    out.push_back(memory_row(MemoryObject::kCheckpoints, states_.kept_allocated()));
  }
  out.push_back(memory_row(MemoryObject::kActivations, workspace_.bytes()));
  out.push_back(memory_row(MemoryObject::kStepResults, results_.bytes()));
}

vernal_pool_info Pool::info() const {
  const auto tokens = [](std::int64_t pages) {
    return static_cast<std::uint64_t>(pages * kPageTokens);
  };
  const backend::KvPlan& kv = program_.compiled().kv;
  vernal_pool_info out{};
  out.struct_size = sizeof(out);
  out.page_tokens = static_cast<std::uint64_t>(kPageTokens);
  out.bytes_per_token = static_cast<std::uint64_t>(kv.bytes_per_token());
  out.bytes_per_sequence = static_cast<std::uint64_t>(states_.plan().slot_bytes());
  out.bytes_per_checkpoint = static_cast<std::uint64_t>(states_.plan().checkpoint_bytes());
  out.capacity_tokens = tokens(pages_[0].num_pages());
  std::int64_t num_free = pages_[0].num_free();
  for (std::size_t g = 0; g < pages_.size(); ++g) {
    // A group with a window always has enough pages.
    const bool is_counted = pages_[g].num_pages() > 0 && kv.groups()[g].window == 0;
    if (is_counted) num_free = std::min(num_free, pages_[g].num_free());
  }
  out.free_tokens = tokens(num_free);
  out.checkpoint_tokens = tokens(sequences_.pages_held_by_checkpoints());
  out.flags = VERNAL_POOL_STEP_ATOMIC | VERNAL_POOL_SNAPSHOT | VERNAL_POOL_BATCH_INVARIANT;
  const bool cuts_anywhere = !states_.plan().is_hybrid() && kv.num_windows() == 0;
  if (cuts_anywhere) out.flags |= VERNAL_POOL_TRUNCATE_ANY;
  return out;
}

std::uint64_t Pool::seq_length(vernal_sequence_id sequence, std::uint64_t function) {
  const backend::SequenceState& state = sequences_.sequence(sequence);
  if (function >= state.lengths.size()) {
    throw Error(VERNAL_NOT_FOUND, "function " + std::to_string(function) + ": the module has " +
                                      std::to_string(state.lengths.size()));
  }
  return state.lengths[function];
}

vernal_checkpoint_info Pool::checkpoint_info(vernal_checkpoint_id checkpoint) {
  const backend::SequenceState& state = sequences_.checkpoint(checkpoint);
  vernal_checkpoint_info out{};
  out.struct_size = sizeof(out);
  out.position = state.lengths[0];
  out.host_bytes = static_cast<std::uint64_t>(states_.plan().checkpoint_bytes());
  out.device_bytes = static_cast<std::uint64_t>(sequences_.page_bytes_held_alone(state));
  return out;
}

// ---- steps --------------------------------------------------------------------------------------

void Pool::check_sizes(const StepBatch& batch) const {
  const PlanOptions& options = program_.compiled().options;
  if (batch.function >= program_.compiled().functions.size()) {
    refuse("function " + std::to_string(batch.function) + " does not exist");
  }
  if (batch.num_tokens == 0 || batch.num_tokens > options.max_tokens_per_step) {
    refuse("expected 1 to " + std::to_string(options.max_tokens_per_step) + " tokens, found " +
           std::to_string(batch.num_tokens));
  }
  if (batch.rows.size() > options.max_rows) {
    refuse("expected at most " + std::to_string(options.max_rows) + " rows, found " +
           std::to_string(batch.rows.size()));
  }
}

void Pool::check_sequences(const StepBatch& batch) {
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < batch.sequences.size(); ++i) {
    const StepSequence& s = batch.sequences[i];
    const backend::SequenceState& state = sequences_.sequence(s.sequence);
    const std::string name = "sequence " + std::to_string(s.sequence);
    if (s.start != next || s.count == 0) refuse(name + ": tokens must follow each other");
    next = s.start + s.count;
    const std::uint64_t length = state.lengths[batch.function];
    if (s.first_position != length) {
      refuse(name + " has " + std::to_string(length) + " tokens, the batch continues it at " +
             std::to_string(s.first_position));
    }
    const std::uint64_t reserved = state.reserved[batch.function];
    if (length + s.count > reserved) {
      refuse(name + ": room is reserved for " + std::to_string(reserved) +
             " tokens, the batch would make it " + std::to_string(length + s.count));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (batch.sequences[j].sequence == s.sequence) refuse(name + " stands twice in the batch");
    }
  }
  if (next != batch.num_tokens) {
    refuse("the sequences have " + std::to_string(next) + " tokens, the batch " +
           std::to_string(batch.num_tokens));
  }
}

const void* Pool::bind_input(const StepBatch& batch, const InputSlot& slot,
                             std::int64_t count) const {
  if (slot.name == "rows") return batch.rows.data();
  for (const vernal_step_input& in : batch.inputs) {
    if (view(in.name) != slot.name || in.source != VERNAL_INPUT_STEP) continue;
    const StepOutput output = const_cast<Pool*>(this)->step_output(in.ticket, view(in.output));
    if (output.rows * output.columns < static_cast<std::uint64_t>(count)) {
      refuse("input \"" + slot.name + "\": the earlier step's result is too small");
    }
    return output.data;
  }
  return batch.input<float>(slot.name, static_cast<std::uint64_t>(count)).data();
}

void Pool::bind_inputs(const StepBatch& batch, const CompiledFunction& function,
                       StepContext& step) {
  for (const vernal_step_input& in : batch.inputs) {
    if (view(in.name) == "ext_index") {
      step.num_external = static_cast<std::int64_t>(in.bytes / sizeof(std::int32_t));
    }
  }
  inputs_.clear();
  for (const InputSlot& slot : function.inputs) {
    std::int64_t leading = 1;
    if (slot.leading == VERNAL_DIM_TOKENS) leading = step.num_tokens;
    if (slot.leading == VERNAL_DIM_ROWS) leading = step.num_rows;
    if (slot.leading == VERNAL_DIM_EXTERNAL) leading = step.num_external;
    if (slot.leading == VERNAL_DIM_SEQUENCES) {
      leading = static_cast<std::int64_t>(batch.sequences.size());
    }
    const std::int64_t count = leading * slot.factor;
    const void* data = bind_input(batch, slot, count);
    const std::int64_t limit = slot.limit == VERNAL_DIM_TOKENS ? step.num_tokens : slot.limit;
    if (limit > 0) check_range(slot, data, count, limit);
    inputs_.push_back(data);
  }
  step.inputs = inputs_;
}

void Pool::schedule(const CompiledFunction& function, const StepContext& step) {
  schedules_.resize(std::max(schedules_.size(), function.scheduled.size()));
  for (std::size_t i = 0; i < function.scheduled.size(); ++i) {
    const AttentionOperation::Parameters& p = function.scheduled[i]->parameters();
    Attention attention = p.shape;
    attention.sequences = step.sequences;
    schedule_attention(attention, program_.compiled().num_threads, p.partial_rows, schedules_[i]);
  }
}

std::size_t Pool::free_slot() const {
  const auto found = std::ranges::find(is_slot_taken_, false);
  if (found == is_slot_taken_.end()) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "step: the results of " + std::to_string(kLiveSteps) +
                                               " steps are still held; release one");
  }
  return static_cast<std::size_t>(found - is_slot_taken_.begin());
}

std::byte* Pool::results(std::size_t slot) const {
  return results_.data() + static_cast<std::int64_t>(slot) * program_.compiled().output_bytes;
}

void Pool::bind_sequences(const StepBatch& batch, StepContext& step) {
  const std::vector<backend::KvGroup>& groups = program_.compiled().kv.groups();
  const std::size_t num_sequences = batch.sequences.size();
  attention_.clear();
  attention_.reserve(groups.size() * num_sequences);  // spans of it are taken as it grows
  kv_.assign(groups.size(), {});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].function != batch.function) continue;
    for (const StepSequence& s : batch.sequences) {
      const backend::HeldPages& held = sequences_.sequence(s.sequence).pages[g];
      attention_.push_back({held.ids.data(), static_cast<std::int64_t>(s.start),
                            static_cast<std::int64_t>(s.count),
                            static_cast<std::int64_t>(s.first_position)});
    }
    kv_[g] = {pages_[g].data(), pages_[g].page_bytes(), std::span(attention_).last(num_sequences)};
  }
  slots_.clear();
  for (const StepSequence& s : batch.sequences) {
    slots_.push_back(states_.data(sequences_.sequence(s.sequence).slot));
  }
  step.sequences = kv_[batch.function].sequences;
  step.kv = kv_;
  step.slots = slots_;
}

vernal_ticket Pool::step_submit(const StepBatch& batch) {
  check_sizes(batch);
  check_sequences(batch);
  const CompiledModule& compiled = program_.compiled();
  const CompiledFunction& function = compiled.functions[batch.function];
  const std::size_t slot = free_slot();
  StepContext step;
  step.num_tokens = static_cast<std::int64_t>(batch.num_tokens);
  step.num_rows = static_cast<std::int64_t>(batch.rows.size());
  step.locations = function.locations;
  step.arena = workspace_.data();
  step.scratch = workspace_.data() + compiled.arena_bytes;
  step.scratch_bytes = compiled.scratch_bytes;
  step.outputs = results(slot);
  step.weights = &program_.weights();
  bind_inputs(batch, function, step);
  for (const StepSequence& s : batch.sequences) {
    sequences_.begin_step(s.sequence, batch.function, s.count);
  }
  bind_sequences(batch, step);
  schedule(function, step);
  step.schedules = schedules_;
  program_.run(function, step);
  for (const StepSequence& s : batch.sequences) {
    sequences_.commit(s.sequence, batch.function, s.count);
  }
  is_slot_taken_[slot] = true;
  return tickets_.add({slot, batch.function, step.num_tokens, step.num_rows});
}

bool Pool::step_wait(vernal_ticket ticket, std::uint64_t) { return step_poll(ticket); }

bool Pool::step_poll(vernal_ticket ticket) {
  tickets_.get(ticket);
  return true;
}

StepOutput Pool::step_output(vernal_ticket ticket, std::string_view name) {
  const Ticket& t = tickets_.get(ticket);
  const CompiledFunction& function = program_.compiled().functions[t.function];
  for (const OutputSlot& slot : function.outputs) {
    if (slot.name != name) continue;
    StepContext step;
    step.num_tokens = t.num_tokens;
    step.num_rows = t.num_rows;
    step.locations = function.locations;
    step.outputs = results(t.slot);
    return {step.floats(slot.buffer), static_cast<std::uint64_t>(step.count(slot.rows)),
            static_cast<std::uint64_t>(slot.num_columns)};
  }
  throw Error(VERNAL_NOT_FOUND, "step: there is no output \"" + std::string(name) + "\"");
}

void Pool::step_release(vernal_ticket ticket) {
  is_slot_taken_[tickets_.get(ticket).slot] = false;
  tickets_.remove(ticket);
}

}  // namespace vernal::cpu_avx2

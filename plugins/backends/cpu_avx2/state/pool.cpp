#include "state/pool.hpp"

#include <algorithm>
#include <string>

#include "state/host_memory.hpp"

namespace vernal::cpu_avx2 {

namespace {

ReservedMemory reserve_workspace(const CompiledModule& compiled) {
  return {std::max<std::int64_t>(
              compiled.arena_bytes + compiled.num_threads * compiled.scratch_bytes, 1),
          ReservedMemory::Pages::kLarge, "activations"};
}

/// A stream computes the rows of large steps with other bits, so that those of a sequence depend on
/// what else is in its steps.
std::uint32_t flags_of(const Program& program) {
  if (program.streamed() != nullptr) return VERNAL_POOL_STEP_ATOMIC;
  return VERNAL_POOL_STEP_ATOMIC | VERNAL_POOL_BATCH_INVARIANT | VERNAL_POOL_CHUNK_INVARIANT;
}

}  // namespace

Pool::Pool(const Program& program)
    : PagedPool(std::make_unique<HostMemory>(),
                {*program.compiled().module, program.compiled().options, program.compiled().kv,
                 program.compiled().states},
                {VERNAL_PLUGIN_ID, VERNAL_PLUGIN_VERSION}, flags_of(program)),
      program_(program),
      workspace_(reserve_workspace(program.compiled())),
      results_(std::max<std::int64_t>(kLiveSteps * program.compiled().output_bytes, 1),
               ReservedMemory::Pages::kSmall, "step results") {
  lock_what_steps_read();
  program.set_pool(this);
}

// All but what checkpoints keep.
void Pool::lock_what_steps_read() const {
  const MemoryLock lock = program_.compiled().lock;
  for (const auto& pages : pages()) {
    lock_memory(pages.data(), pages.allocated_bytes(), lock, "KV pool");
  }
  if (states().plan().is_hybrid()) {
    lock_memory(states().data(0), states().slots_allocated(), lock, "recurrent state");
  }
  lock_memory(workspace_.data(), workspace_.bytes(), lock, "activations");
  lock_memory(results_.data(), results_.bytes(), lock, "step results");
}

void Pool::report_memory(std::vector<MemoryRow>& out) const {
  const backend::KvPlan& kv = program_.compiled().kv;
  std::int64_t kv_bytes = 0;
  std::int64_t window_bytes = 0;
  for (std::size_t g = 0; g < pages().size(); ++g) {
    (kv.groups()[g].window == 0 ? kv_bytes : window_bytes) += pages()[g].allocated_bytes();
  }
  out.push_back(memory_row(MemoryObject::kKvCache, kv_bytes));
  if (kv.num_windows() > 0) out.push_back(memory_row(MemoryObject::kKvWindows, window_bytes));
  if (states().plan().is_hybrid()) {
    out.push_back(memory_row(MemoryObject::kRecurrentState, states().slots_allocated()));
    out.push_back(memory_row(MemoryObject::kCheckpoints, states().kept_allocated()));
  }
  out.push_back(memory_row(MemoryObject::kActivations, workspace_.bytes()));
  out.push_back(memory_row(MemoryObject::kStepResults, results_.bytes()));
}

// ---- steps --------------------------------------------------------------------------------------

const void* Pool::bind_input(const StepBatch& batch, const InputSlot& slot, std::int64_t count) {
  if (slot.name == "rows") return batch.rows.data();
  const vernal_step_input* const in = backend::find_input(batch, slot);
  if (in == nullptr || in->source != VERNAL_INPUT_STEP) {
    return batch.input<float>(slot.name, static_cast<std::uint64_t>(count)).data();
  }
  const StepOutput output = step_output(in->ticket, view(in->output));
  if (output.rows * output.columns < static_cast<std::uint64_t>(count)) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                "step: input \"" + slot.name + "\": the earlier step's result is too small");
  }
  return output.data;
}

void Pool::bind_inputs(const StepBatch& batch, const CompiledFunction& function,
                       StepContext& step) {
  step.num_external = batch.dimension(VERNAL_DIM_EXTERNAL);
  inputs_.clear();
  for (const InputSlot& slot : function.inputs) {
    const std::int64_t count = slot.count(batch);
    const void* data = bind_input(batch, slot, count);
    backend::check_range(slot, data, count, batch);
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
      const backend::HeldPages& held = sequences().sequence(s.sequence).pages[g];
      attention_.push_back({held.ids.data(), static_cast<std::int64_t>(s.start),
                            static_cast<std::int64_t>(s.count),
                            static_cast<std::int64_t>(s.first_position)});
    }
    kv_[g] = {pages()[g].data(), pages()[g].page_bytes(),
              std::span(attention_).last(num_sequences)};
  }
  slots_.clear();
  for (const StepSequence& s : batch.sequences) {
    slots_.push_back(states().data(sequences().sequence(s.sequence).slot));
  }
  step.sequences = kv_[batch.function].sequences;
  step.kv = kv_;
  step.slots = slots_;
}

vernal_ticket Pool::step_submit(const StepBatch& batch) {
  check_step(batch);
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
  step.streamed = program_.streamed();
  bind_inputs(batch, function, step);
  begin_step(batch);
  bind_sequences(batch, step);
  schedule(function, step);
  step.schedules = schedules_;
  program_.run(function, step);
  commit_step(batch);
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

#include "state/pool.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "device/cuda_error.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Of an i32 or f32.
constexpr std::int64_t kNumberBytes = 4;

Buffer make(MemoryPlace place, std::int64_t bytes, std::string_view what) {
  return {place, std::max<std::int64_t>(bytes, 1), what};
}

/// The bytes of an output in a step.
std::int64_t bytes_of(const OutputSlot& slot, std::int64_t num_tokens, std::int64_t num_rows) {
  std::int64_t rows = slot.rows.factor;
  if (slot.rows.leading == VERNAL_DIM_TOKENS) rows *= num_tokens;
  if (slot.rows.leading == VERNAL_DIM_ROWS) rows *= num_rows;
  return rows * slot.num_columns * kNumberBytes;
}

}  // namespace

Pool::Pool(const Program& program)
    : PagedPool(std::make_unique<DeviceMemory>(program.stream()),
                {*program.compiled().module, program.compiled().options, program.compiled().kv,
                 program.compiled().states},
                {VERNAL_PLUGIN_ID, VERNAL_PLUGIN_VERSION},
                VERNAL_POOL_BATCH_INVARIANT | VERNAL_POOL_CHUNK_INVARIANT),
      program_(program),
      device_memory_(static_cast<DeviceMemory&>(memory())),
      arena_(make(MemoryPlace::kDevice, program.compiled().arena_bytes, "activations")),
      inputs_(make(MemoryPlace::kDevice, program.compiled().step_input_bytes, "step inputs")),
      results_(make(MemoryPlace::kDevice, kLiveSteps * program.compiled().output_bytes,
                    "step results")) {
  for (Slot& slot : slots_) {
    slot.inputs = make(MemoryPlace::kPinned, program.compiled().step_input_bytes, "step inputs");
    slot.results = make(MemoryPlace::kPinned, program.compiled().output_bytes, "step results");
  }
  if (!program.instance().sync_every_operation) record_graphs();
  program.set_pool(this);
}

Pool::~Pool() {
  program_.set_pool(nullptr);
  // Steps that nobody waited for still write to memory of this pool.
  static_cast<void>(cudaStreamSynchronize(program_.stream().get()));
  device_memory_.abandon_copies();
}

void Pool::report_memory(std::vector<MemoryRow>& out) const {
  const CompiledModule& compiled = program_.compiled();
  std::int64_t kv_bytes = 0;
  std::int64_t window_bytes = 0;
  for (std::size_t g = 0; g < pages().size(); ++g) {
    (compiled.kv.groups()[g].window == 0 ? kv_bytes : window_bytes) += pages()[g].allocated_bytes();
  }
  out.push_back(compiled.row(MemoryObject::kKvCache, kv_bytes));
  if (compiled.kv.num_windows() > 0) {
    out.push_back(compiled.row(MemoryObject::kKvWindows, window_bytes));
  }
  if (compiled.states.is_hybrid()) {
    out.push_back(compiled.row(MemoryObject::kRecurrentState, states().slots_allocated()));
    out.push_back(compiled.row(MemoryObject::kCheckpoints, states().kept_allocated()));
  }
  std::int64_t host_bytes = 0;
  for (const Slot& slot : slots_) host_bytes += slot.inputs.bytes() + slot.results.bytes();
  out.push_back(compiled.row(MemoryObject::kActivations, arena_.bytes()));
  out.push_back(compiled.row(MemoryObject::kStepInputs, inputs_.bytes()));
  out.push_back(compiled.row(MemoryObject::kStepResults, results_.bytes()));
  out.push_back(compiled.row(MemoryObject::kHostBuffers, host_bytes));
}

// ---- the data of a step

std::size_t Pool::free_slot() {
  const auto found = std::ranges::find(slots_, false, &Slot::is_taken);
  if (found == slots_.end()) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "step: the results of " + std::to_string(kLiveSteps) +
                                               " steps are still held; release one");
  }
  // A step may be released before it is done; its memory may be used again only then.
  if (found->is_submitted) found->end.wait();
  return static_cast<std::size_t>(found - slots_.begin());
}

std::byte* Pool::device_results(std::size_t slot) const {
  return results_.data() + static_cast<std::int64_t>(slot) * program_.compiled().output_bytes;
}

/// Counts, places of tokens and pages.
void Pool::fill_head(const StepBatch& batch, std::byte* to) const {
  const StepLayout& layout = program_.compiled().step_layouts[batch.function];
  auto& counts = *reinterpret_cast<StepCounts*>(to + layout.counts_at);
  counts.num_tokens = static_cast<std::int32_t>(batch.num_tokens);
  counts.num_rows = static_cast<std::int32_t>(batch.rows.size());
  counts.num_sequences = static_cast<std::int32_t>(batch.sequences.size());
  counts.num_external = static_cast<std::int32_t>(batch.dimension(VERNAL_DIM_EXTERNAL));
  auto* const token_sequence = reinterpret_cast<std::int32_t*>(to + layout.token_sequence_at);
  auto* const sequence_parts = reinterpret_cast<SequencePart*>(to + layout.sequences_at);
  for (std::size_t i = 0; i < batch.sequences.size(); ++i) {
    const StepSequence& part = batch.sequences[i];
    const backend::SequenceState& state = sequences().sequence(part.sequence);
    const backend::Replay& replay = state.replays[batch.function];
    std::fill_n(token_sequence + part.start, part.count, static_cast<std::int32_t>(i));
    sequence_parts[i] = {
        static_cast<std::int32_t>(part.start),          static_cast<std::int32_t>(part.count),
        static_cast<std::int32_t>(part.first_position), state.slot,
        static_cast<std::int32_t>(replay.pending),      static_cast<std::int32_t>(replay.side)};
    for (std::size_t g = 0; g < layout.page_ids_at.size(); ++g) {
      if (layout.page_ids_at[g] < 0) continue;
      auto* const ids = reinterpret_cast<std::uint32_t*>(to + layout.page_ids_at[g]);
      std::ranges::copy(state.pages[g].ids, ids + static_cast<std::int64_t>(i) * layout.most_pages);
    }
  }
}

/// Where the result of an earlier step lies on the device that an input is to be.
const std::byte* Pool::earlier_result(const InputSlot& slot, const vernal_step_input& input,
                                      std::int64_t count) {
  const auto refuse = [&](const std::string& what) {
    throw Error(VERNAL_INVALID_ARGUMENT, "step: input \"" + slot.name + "\": " + what);
  };
  if (slot.element == VERNAL_ELEMENT_I32) refuse("integers cannot be the result of a step");
  const Ticket& earlier = tickets_.get(input.ticket);
  const CompiledFunction& function = program_.compiled().functions[earlier.function];
  const auto output = std::ranges::find(function.outputs, view(input.output), &OutputSlot::name);
  if (output == function.outputs.end() ||
      bytes_of(*output, earlier.num_tokens, earlier.num_rows) < count * kNumberBytes) {
    refuse("the earlier step's result \"" + std::string(view(input.output)) +
           "\" is missing or too small");
  }
  const Location& place = function.locations[static_cast<std::size_t>(output->buffer)];
  return device_results(earlier.slot) + place.offset;
}

/// Checks all inputs and copies those that lie in host memory. Remembers where the others lie.
void Pool::fill_inputs(const StepBatch& batch, std::byte* to) {
  const CompiledModule& compiled = program_.compiled();
  const std::vector<InputSlot>& slots = compiled.functions[batch.function].inputs;
  const StepLayout& layout = compiled.step_layouts[batch.function];
  earlier_results_.assign(slots.size(), nullptr);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const InputSlot& slot = slots[i];
    const std::int64_t count = slot.count(batch);
    if (count > layout.input_room[i]) {
      throw Error(VERNAL_INVALID_ARGUMENT, "step: input \"" + slot.name + "\": expected at most " +
                                               std::to_string(layout.input_room[i]) +
                                               " numbers, found " + std::to_string(count));
    }
    const void* data = batch.rows.data();
    if (slot.name != "rows") {
      const vernal_step_input* const in = backend::find_input(batch, slot);
      if (in != nullptr && in->source == VERNAL_INPUT_STEP) {
        earlier_results_[i] = earlier_result(slot, *in, count);
        continue;
      }
      data = batch.input<float>(slot.name, static_cast<std::uint64_t>(count)).data();
    }
    backend::check_range(slot, data, count, batch);
    std::memcpy(to + layout.inputs_at[i], data, static_cast<std::size_t>(count * kNumberBytes));
  }
}

/// After fill_inputs().
void Pool::copy_inputs(const StepBatch& batch, const std::byte* from) {
  const CompiledModule& compiled = program_.compiled();
  const std::vector<InputSlot>& slots = compiled.functions[batch.function].inputs;
  const StepLayout& layout = compiled.step_layouts[batch.function];
  const auto copy = [&](std::int64_t at, const std::byte* data, std::int64_t bytes) {
    if (bytes == 0) return;
    check_cuda(cudaMemcpyAsync(inputs_.data() + at, data, static_cast<std::size_t>(bytes),
                               cudaMemcpyDefault, program_.stream().get()),
               "step: copying inputs");
  };
  copy(0, from, layout.head_bytes);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::int64_t at = layout.inputs_at[i];
    const std::int64_t bytes = slots[i].count(batch) * kNumberBytes;
    if (earlier_results_[i] != nullptr) {
      copy(at, earlier_results_[i], bytes);
    } else if (at >= layout.head_bytes) {
      copy(at, from + at, bytes);
    }
  }
}

// ---- steps

StepContext Pool::context(std::uint64_t index, std::size_t slot, LaunchSize size) {
  const CompiledModule& compiled = program_.compiled();
  const CompiledFunction& function = compiled.functions[index];
  const StepLayout& layout = compiled.step_layouts[index];
  input_places_.clear();
  for (const std::int64_t at : layout.inputs_at) input_places_.push_back(inputs_.data() + at);
  kv_.assign(pages().size(), {});
  for (std::size_t g = 0; g < kv_.size(); ++g) {
    if (layout.page_ids_at[g] < 0) continue;
    kv_[g] = {pages()[g].data(), pages()[g].page_bytes(),
              inputs_.as<const std::uint32_t>(layout.page_ids_at[g])};
  }
  StepContext step;
  step.locations = function.locations;
  step.arena = arena_.data();
  step.outputs = device_results(slot);
  step.inputs = input_places_;
  step.weights = &program_.weights();
  step.counts = inputs_.as<const StepCounts>(layout.counts_at);
  step.token_sequence = inputs_.as<const std::int32_t>(layout.token_sequence_at);
  step.sequences = inputs_.as<const SequencePart>(layout.sequences_at);
  step.kv = kv_;
  step.states = states().plan().is_hybrid() ? states().data(0) : nullptr;
  step.size = size;
  return step;
}

/// One graph for each function, slot of results and size: a step differs from another one in device
/// memory alone.
void Pool::record_graphs() {
  const CompiledModule& compiled = program_.compiled();
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    graphs_[slot].resize(compiled.functions.size());
    for (std::size_t f = 0; f < compiled.functions.size(); ++f) {
      for (std::size_t i = 0; i < kNumGraphSizes; ++i) {
        const std::int32_t most = 1 << i;
        const StepContext step = context(f, slot, {program_.stream().get(), most, most, most});
        graphs_[slot][f][i] =
            Graph(program_.stream(), [&] { program_.launch(compiled.functions[f], step); });
      }
    }
  }
  plugin_host().log(VERNAL_LOG_DEBUG, "cuda_sm86",
                    "a decode step of one token is " +
                        std::to_string(graphs_[0][0][0].num_nodes()) + " launches in one graph");
}

const Graph* Pool::graph_of(const StepBatch& batch, std::size_t slot) const {
  const std::size_t most = std::max(
      {static_cast<std::size_t>(batch.num_tokens), batch.sequences.size(), batch.rows.size()});
  if (graphs_[slot].empty() || most > kMostGraphTokens) return nullptr;
  return &graphs_[slot][batch.function][static_cast<std::size_t>(std::bit_width(most - 1))];
}

void Pool::copy_results(const StepBatch& batch, const StepContext& step, std::size_t slot) {
  for (const OutputSlot& output : program_.compiled().functions[batch.function].outputs) {
    const std::int64_t bytes = bytes_of(output, static_cast<std::int64_t>(batch.num_tokens),
                                        static_cast<std::int64_t>(batch.rows.size()));
    if (bytes == 0) continue;
    const std::int64_t at = step.locations[static_cast<std::size_t>(output.buffer)].offset;
    check_cuda(cudaMemcpyAsync(slots_[slot].results.data() + at, step.outputs + at,
                               static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                               program_.stream().get()),
               "step: copying results");
  }
}

/// States that a checkpoint is made of, or restored from, are on their way while other steps run.
void Pool::wait_for_states(const StepBatch& batch) {
  const std::int64_t bytes = states().plan().slot_bytes();
  if (bytes == 0) return;
  for (const StepSequence& part : batch.sequences) {
    const backend::SlotId slot = sequences().sequence(part.sequence).slot;
    device_memory_.wait_for_copies(states().data(slot), bytes);
  }
}

vernal_ticket Pool::step_submit(const StepBatch& batch) {
  use_device(program_.instance());
  check_step(batch);
  const std::size_t index = free_slot();
  Slot& slot = slots_[index];
  fill_inputs(batch, slot.inputs.data());
  begin_step(batch);
  fill_head(batch, slot.inputs.data());
  wait_for_states(batch);
  slot.begin.record(program_.stream());
  copy_inputs(batch, slot.inputs.data());
  const StepContext step =
      context(batch.function, index,
              {program_.stream().get(), static_cast<std::int32_t>(batch.num_tokens),
               static_cast<std::int32_t>(batch.rows.size()),
               static_cast<std::int32_t>(batch.sequences.size())});
  if (const Graph* const graph = graph_of(batch, index)) {
    graph->launch(program_.stream());
  } else {
    program_.launch(program_.compiled().functions[batch.function], step);
  }
  copy_results(batch, step, index);
  slot.end.record(program_.stream());
  slot.is_submitted = true;
  commit_step(batch);
  slot.is_taken = true;
  return tickets_.add({index, batch.function, static_cast<std::int64_t>(batch.num_tokens),
                       static_cast<std::int64_t>(batch.rows.size()), false});
}

void Pool::finish(Ticket& ticket) {
  if (ticket.is_counted) return;
  ticket.is_counted = true;
  float milliseconds = 0.0F;
  const Slot& slot = slots_[ticket.slot];
  check_cuda(cudaEventElapsedTime(&milliseconds, slot.begin.get(), slot.end.get()),
             "step: measuring its time");
  program_.count_step(ticket.num_tokens, static_cast<std::uint64_t>(milliseconds * 1e6F));
}

bool Pool::step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) {
  Ticket& waited = tickets_.get(ticket);
  const Event& end = slots_[waited.slot].end;
  if (timeout_ms == 0) {
    end.wait();
  } else {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!end.is_done()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }
  finish(waited);
  return true;
}

bool Pool::step_poll(vernal_ticket ticket) {
  return slots_[tickets_.get(ticket).slot].end.is_done();
}

StepOutput Pool::step_output(vernal_ticket ticket, std::string_view name) {
  const Ticket& t = tickets_.get(ticket);
  const CompiledFunction& function = program_.compiled().functions[t.function];
  const auto slot = std::ranges::find(function.outputs, name, &OutputSlot::name);
  if (slot == function.outputs.end()) {
    throw Error(VERNAL_NOT_FOUND, "step: there is no output \"" + std::string(name) + "\"");
  }
  const Location& place = function.locations[static_cast<std::size_t>(slot->buffer)];
  const std::int64_t bytes = bytes_of(*slot, t.num_tokens, t.num_rows);
  const auto columns = static_cast<std::uint64_t>(slot->num_columns);
  return {slots_[t.slot].results.as<const float>(place.offset),
          static_cast<std::uint64_t>(bytes) / sizeof(float) / columns, columns};
}

void Pool::step_release(vernal_ticket ticket) {
  slots_[tickets_.get(ticket).slot].is_taken = false;
  tickets_.remove(ticket);
}

}  // namespace vernal::cuda_sm86

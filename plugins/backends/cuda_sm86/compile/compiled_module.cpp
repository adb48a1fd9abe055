#include "compile/compiled_module.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "device/stagings.hpp"
#include "shared/state/memory.hpp"
#include "shared/state/plan_limits.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// The grid of a launch has no more blocks in its second and third dimension.
constexpr std::uint64_t kMostBlocks = 65535;

void require_grid(const char* option, std::uint64_t value) {
  if (value <= kMostBlocks) return;
  throw Error(VERNAL_UNSUPPORTED, std::string(option) + ": this backend takes at most " +
                                      std::to_string(kMostBlocks) + ", found " +
                                      std::to_string(value));
}

PlanOptions checked(const PlanOptions& options) {
  backend::require_positive_options(options);
  require_grid("max_tokens_per_step", options.max_tokens_per_step);
  require_grid("max_sequences", options.max_sequences);
  return options;
}

struct Label {
  const char* name;
  std::uint32_t category;
  bool is_on_host;
};

constexpr std::array<Label, 11> kLabels{{
    {"weights", VERNAL_MEMORY_WEIGHTS, false},
    {"weights that are looked up", VERNAL_MEMORY_WEIGHTS, true},
    {"staging while weights load", VERNAL_MEMORY_OTHER, false},
    {"kv cache", VERNAL_MEMORY_KV, false},
    {"kv windows", VERNAL_MEMORY_KV, false},
    {"recurrent state", VERNAL_MEMORY_RECURRENT, false},
    {"checkpoints", VERNAL_MEMORY_CHECKPOINTS, true},
    {"activations", VERNAL_MEMORY_WORKSPACE, false},
    {"step inputs", VERNAL_MEMORY_WORKSPACE, false},
    {"step results", VERNAL_MEMORY_WORKSPACE, false},
    {"step inputs and results", VERNAL_MEMORY_PINNED_HOST, true},
}};

}  // namespace

CompiledModule::CompiledModule(std::shared_ptr<const Module> source,
                               const PlanOptions& plan_options, std::string device,
                               bool fuses_operations)
    : module(std::move(source)),
      options(checked(plan_options)),
      device_name(std::move(device)),
      layouts(backend::kv_layouts(*module, options, 1)),
      kv(*module, options, backend::page_bytes_of(layouts)),
      states(*module, options, backend::RollbackForm::kReplay),
      weights(*module) {
  for (std::uint32_t f = 0; f < module->functions.size(); ++f) {
    functions.push_back(
        compile_function(*module, f, {options, layouts, kv, states, fuses_operations}));
    const CompiledFunction& made = functions.back();
    step_layouts.emplace_back(made, f, options, kv);
    arena_bytes = std::max(arena_bytes, made.arena_bytes);
    output_bytes = std::max(output_bytes, made.output_bytes);
    step_input_bytes = std::max(step_input_bytes, step_layouts.back().bytes);
    for (const RopeTableOperation* table : made.rope_tables) {
      constant_bytes += backend::aligned_bytes(table->constant_bytes());
    }
  }
}

vernal_plan_info CompiledModule::info() const {
  vernal_plan_info out{};
  out.struct_size = sizeof(out);
  out.page_tokens = kv.bytes_per_token() > 0 ? static_cast<std::uint64_t>(backend::kPageTokens) : 0;
  out.bytes_per_kv_token = static_cast<std::uint64_t>(kv.bytes_per_token());
  out.bytes_per_sequence = static_cast<std::uint64_t>(states.slot_bytes());
  out.bytes_per_checkpoint = static_cast<std::uint64_t>(states.checkpoint_bytes());
  out.weight_bytes_per_step = static_cast<std::uint64_t>(weights.bytes_per_step());
  return out;
}

MemoryRow CompiledModule::row(MemoryObject object, std::int64_t bytes) const {
  const Label& label = kLabels[static_cast<std::size_t>(object)];
  const auto size = static_cast<std::uint64_t>(bytes);
  return {label.name, label.is_on_host ? "cpu" : device_name, label.category, size, size};
}

std::vector<MemoryRow> CompiledModule::weight_rows() const {
  std::vector<MemoryRow> out{row(MemoryObject::kWeights, weights.device_bytes() + constant_bytes)};
  for (const WeightLayout::Conversion& conversion : weights.conversions()) {
    MemoryRow converted = row(MemoryObject::kWeights, conversion.bytes);
    converted.object = conversion.names + ", " + std::string(conversion.stored) + " as 8-bit codes";
    out.front().bytes -= converted.bytes;
    out.front().peak_bytes -= converted.bytes;
    out.push_back(std::move(converted));
  }
  if (weights.host_bytes() > 0) out.push_back(row(MemoryObject::kTables, weights.host_bytes()));
  return out;
}

std::vector<MemoryRow> CompiledModule::rows() const {
  std::vector<MemoryRow> out = weight_rows();
  MemoryRow staging = row(MemoryObject::kStaging, kNumStagings * kStagingBytes);
  staging.bytes = 0;  // given back before the pool is made
  out.push_back(std::move(staging));
  out.push_back(row(MemoryObject::kKvCache, kv.bytes()));
  if (kv.num_windows() > 0) out.push_back(row(MemoryObject::kKvWindows, kv.window_bytes()));
  if (states.is_hybrid()) {
    out.push_back(row(MemoryObject::kRecurrentState, states.bytes()));
    out.push_back(row(MemoryObject::kCheckpoints, states.all_checkpoint_bytes()));
  }
  out.push_back(row(MemoryObject::kActivations, arena_bytes));
  out.push_back(row(MemoryObject::kStepInputs, step_input_bytes));
  out.push_back(row(MemoryObject::kStepResults, kLiveSteps * output_bytes));
  out.push_back(row(MemoryObject::kHostBuffers, kLiveSteps * (step_input_bytes + output_bytes)));
  return out;
}

std::int64_t CompiledModule::device_bytes() const {
  std::uint64_t sum = 0;
  for (const MemoryRow& r : rows()) {
    if (r.device == device_name) sum += r.bytes;
  }
  return static_cast<std::int64_t>(sum);
}

}  // namespace vernal::cuda_sm86

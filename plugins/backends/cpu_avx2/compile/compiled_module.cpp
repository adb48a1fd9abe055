#include "compile/compiled_module.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "shared/state/plan_limits.hpp"

namespace vernal::cpu_avx2 {

namespace {

PlanOptions checked(const PlanOptions& options) {
  backend::require_positive_options(options);
  return options;
}

}  // namespace

CompiledModule::CompiledModule(std::shared_ptr<const Module> source,
                               const PlanOptions& plan_options, std::int32_t threads,
                               InstructionSet set, Repack repack)
    : module(std::move(source)),
      options(checked(plan_options)),
      num_threads(threads),
      layouts(backend::kv_layouts(*module, options, 8)),
      kv(*module, options, backend::page_bytes_of(layouts)),
      states(*module, options),
      weights(*module, set, repack) {
  for (std::uint32_t f = 0; f < module->functions.size(); ++f) {
    functions.push_back(compile_function(
        *module, f, {options, layouts, kv, states, weights, num_threads, set, operation_kinds}));
    arena_bytes = std::max(arena_bytes, functions.back().arena_bytes);
    scratch_bytes = std::max(scratch_bytes, functions.back().scratch_bytes);
    output_bytes = std::max(output_bytes, functions.back().output_bytes);
  }
}

vernal_plan_info CompiledModule::info() const {
  vernal_plan_info out{};
  out.struct_size = sizeof(out);
  out.page_tokens = kv.bytes_per_token() > 0 ? static_cast<std::uint64_t>(kPageTokens) : 0;
  out.bytes_per_kv_token = static_cast<std::uint64_t>(kv.bytes_per_token());
  out.bytes_per_sequence = static_cast<std::uint64_t>(states.slot_bytes());
  out.bytes_per_checkpoint = static_cast<std::uint64_t>(states.checkpoint_bytes());
  out.weight_bytes_per_step = static_cast<std::uint64_t>(weights.bytes_per_step());
  return out;
}

MemoryRow memory_row(MemoryObject object, std::int64_t bytes) {
  struct Label {
    const char* name;
    std::uint32_t category;
  };
  static constexpr Label kLabels[] = {{"weights", VERNAL_MEMORY_WEIGHTS},
                                      {"weights in place", VERNAL_MEMORY_MAPPED_FILE},
                                      {"kv cache", VERNAL_MEMORY_KV},
                                      {"kv windows", VERNAL_MEMORY_KV},
                                      {"recurrent state", VERNAL_MEMORY_RECURRENT},
                                      {"checkpoints", VERNAL_MEMORY_CHECKPOINTS},
                                      {"activations", VERNAL_MEMORY_WORKSPACE},
                                      {"step results", VERNAL_MEMORY_WORKSPACE}};
  const Label& label = kLabels[static_cast<std::size_t>(object)];
  const auto size = static_cast<std::uint64_t>(bytes);
  return {label.name, "cpu", label.category, size, size};
}

std::vector<MemoryRow> CompiledModule::weight_rows(std::int64_t bytes) const {
  std::vector<MemoryRow> out{memory_row(MemoryObject::kWeights, bytes)};
  for (const WeightLayout::Conversion& conversion : weights.conversions()) {
    MemoryRow row = memory_row(MemoryObject::kWeights, conversion.bytes);
    row.object = conversion.names + ", " + std::string(conversion.stored) + " as 8-bit codes";
    out.front().bytes -= row.bytes;
    out.front().peak_bytes -= row.bytes;
    out.push_back(std::move(row));
  }
  if (weights.bytes_in_place() > 0) {
    out.push_back(memory_row(MemoryObject::kWeightsInPlace, weights.bytes_in_place()));
  }
  return out;
}

std::vector<MemoryRow> CompiledModule::rows() const {
  std::vector<MemoryRow> out = weight_rows(weights.bytes());
  out.push_back(memory_row(MemoryObject::kKvCache, kv.bytes()));
  if (kv.num_windows() > 0) {
    out.push_back(memory_row(MemoryObject::kKvWindows, kv.window_bytes()));
  }
  if (states.is_hybrid()) {
    out.push_back(memory_row(MemoryObject::kRecurrentState, states.bytes()));
    out.push_back(memory_row(MemoryObject::kCheckpoints, states.all_checkpoint_bytes()));
  }
  out.push_back(memory_row(MemoryObject::kActivations, arena_bytes + num_threads * scratch_bytes));
  out.push_back(memory_row(MemoryObject::kStepResults, kLiveSteps * output_bytes));
  return out;
}

std::int64_t CompiledModule::bytes() const {
  std::int64_t sum = 0;
  for (const MemoryRow& r : rows()) sum += static_cast<std::int64_t>(r.bytes);
  return sum;
}

std::int64_t CompiledModule::lockable_bytes() const {
  std::int64_t sum = 0;
  for (const MemoryRow& r : rows()) {
    const bool is_read_from_own =
        r.category != VERNAL_MEMORY_CHECKPOINTS && r.category != VERNAL_MEMORY_MAPPED_FILE;
    if (is_read_from_own) sum += static_cast<std::int64_t>(r.bytes);
  }
  return sum;
}

}  // namespace vernal::cpu_avx2

// A function of the module as a list of operations over buffers at fixed places.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/attention/kv_page.hpp"
#include "operations/attention.hpp"
#include "operations/operation.hpp"
#include "operations/rope.hpp"
#include "shared/state/kv_plan.hpp"
#include "shared/state/state_plan.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"
#include "weights.hpp"

namespace vernal::cpu_avx2 {

using backend::InputSlot;
using backend::OutputSlot;

struct CompiledFunction {
  std::vector<std::unique_ptr<Operation>> operations;
  std::vector<Location> locations;  // by buffer
  std::vector<InputSlot> inputs;
  std::vector<OutputSlot> outputs;
  std::vector<const AttentionOperation*> scheduled;  ///< one for each schedule
  std::vector<RopeTableOperation*> rope_tables;
  std::int64_t arena_bytes = 0;
  std::int64_t output_bytes = 0;
  std::int64_t scratch_bytes = 0;  ///< for each worker
};

/// What a plan has fixed before its functions are compiled. Borrowed.
struct CompileContext {
  const PlanOptions& options;
  const std::vector<KvLayout>& kv_layouts;
  const backend::KvPlan& kv;
  const backend::StatePlan& states;
  const WeightLayout& weights;
  std::int32_t num_threads;
  InstructionSet instruction_set;             ///< that kernels are chosen for
  std::vector<std::string>& operation_kinds;  ///< numbers them, over all functions
};

/// Compiles a function whose nodes are all supported (operation_table.hpp).
CompiledFunction compile_function(const Module& module, std::uint32_t function,
                                  const CompileContext& context);

}  // namespace vernal::cpu_avx2

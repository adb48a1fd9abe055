// Everything a plan fixes: the compiled functions, and what the program and its pool will take.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compile/compiled_function.hpp"
#include "shared/state/kv_plan.hpp"
#include "shared/state/state_plan.hpp"
#include "vernal/backend_plugin.hpp"
#include "weights.hpp"

namespace vernal::cpu_avx2 {

/// Results of this many steps can be held at the same time.
inline constexpr std::int64_t kLiveSteps = 2;

/// What a program allocates, for plan and report alike.
enum class MemoryObject : std::uint8_t {
  kWeights,
  kWeightsInPlace,
  kKvCache,
  kKvWindows,
  kRecurrentState,
  kCheckpoints,
  kActivations,
  kStepResults,
};

MemoryRow memory_row(MemoryObject object, std::int64_t bytes);

struct CompiledModule {
  /// Compiles all functions of a module whose nodes are supported (operation_table.hpp), for
  /// kernels of the instruction set. `repack`: which weights are copied.
  /// Errors  UNSUPPORTED: an option or a state that this backend lacks;
  ///         INVALID_ARGUMENT: an option that is zero
  CompiledModule(std::shared_ptr<const Module> source, const PlanOptions& plan_options,
                 std::int32_t threads, InstructionSet set, Repack repack);

  vernal_plan_info info() const;
  /// What will be allocated, exactly. Matrices that are converted at load have rows of their own.
  std::vector<MemoryRow> rows() const;
  /// The part of them that is weights: `bytes` of copies in all, with a row for each group of converted
  /// matrices, and what stays in the model file.
  std::vector<MemoryRow> weight_rows(std::int64_t bytes) const;
  std::int64_t bytes() const;
  /// The part of them that `lock` is about: all but checkpoints, which no step reads,
  /// and pages of the model file, which the host locks.
  std::int64_t lockable_bytes() const;

  std::shared_ptr<const Module> module;
  PlanOptions options;
  std::int32_t num_threads;
  std::vector<KvLayout> layouts;  ///< of keys and values, by state
  backend::KvPlan kv;
  backend::StatePlan states;
  WeightLayout weights;
  std::vector<CompiledFunction> functions;
  std::vector<std::string> operation_kinds;  ///< "vernal.linear/1", by the operations' timers
  std::int64_t arena_bytes = 0;              ///< greatest of the functions
  std::int64_t scratch_bytes = 0;            ///< for each worker
  std::int64_t output_bytes = 0;             ///< of one step
  MemoryLock lock = MemoryLock::kNone;
};

}  // namespace vernal::cpu_avx2

// Everything a plan fixes: the compiled functions, and what the program and its pool will take.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compile/compiled_function.hpp"
#include "compile/step_layout.hpp"
#include "vernal/backend_plugin.hpp"
#include "weights.hpp"

namespace vernal::cuda_sm86 {

/// Results of this many steps can be held at the same time.
inline constexpr std::int64_t kLiveSteps = 2;

/// What a program allocates, for plan and report alike.
enum class MemoryObject : std::uint8_t {
  kWeights,
  kTables,  ///< in host memory
  kStaging,
  kKvCache,
  kKvWindows,
  kRecurrentState,
  kCheckpoints,
  kActivations,
  kStepInputs,
  kStepResults,
  kHostBuffers,
};

struct CompiledModule {
  /// Compiles all functions of a module whose nodes are supported (operation_table.hpp).
  ///   device            as memory rows name it, "cuda:0"
  ///   fuses_operations  see CompileContext
  /// Errors  UNSUPPORTED: an option or a state that this backend lacks;
  ///         INVALID_ARGUMENT: an option that is zero
  CompiledModule(std::shared_ptr<const Module> source, const PlanOptions& plan_options,
                 std::string device, bool fuses_operations = true);

  vernal_plan_info info() const;
  /// What will be allocated, exactly. Matrices that are converted at load have rows of their own.
  std::vector<MemoryRow> rows() const;
  /// The part of them that is weights and constants.
  std::vector<MemoryRow> weight_rows() const;
  MemoryRow row(MemoryObject object, std::int64_t bytes) const;
  /// All bytes on the device; the greatest sum at any time.
  std::int64_t device_bytes() const;

  std::shared_ptr<const Module> module;
  PlanOptions options;
  std::string device_name;
  std::vector<backend::KvLayout> layouts;  ///< of keys and values, by state
  backend::KvPlan kv;
  backend::StatePlan states;
  WeightLayout weights;
  std::vector<CompiledFunction> functions;
  std::vector<StepLayout> step_layouts;  ///< by function
  std::int64_t constant_bytes = 0;       ///< of operations, on the device
  std::int64_t arena_bytes = 0;          ///< greatest of the functions
  std::int64_t output_bytes = 0;         ///< of one step
  std::int64_t step_input_bytes = 0;     ///< greatest of the functions
};

}  // namespace vernal::cuda_sm86

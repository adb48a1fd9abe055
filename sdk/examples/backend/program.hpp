// The compiled module: weights and the interpreter that runs one node after another.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequence_state.hpp"
#include "tensor.hpp"
#include "vernal/backend_plugin.hpp"
#include "vernal/block_types.hpp"
#include "vernal/state/copied_pool.hpp"

namespace reference {

/// A weight as it is stored in the file. It is read row by row.
struct StoredWeight {
  const vernal::BlockType* format = nullptr;
  std::int64_t columns = 0;  // last logical dimension
  std::int64_t num_rows = 0;
  std::span<const std::byte> bytes;

  /// Reads row `index`: `columns` floats.
  void read_row(std::int64_t index, std::vector<float>& out) const;
};

/// Runs the nodes of a module. Keeps the mapped weights until it is destroyed. Engine thread only.
class Program final : public vernal::BackendProgram {
 public:
  Program(std::shared_ptr<const vernal::Module> module, vernal::PlanOptions options,
          std::vector<StoredWeight> weights);

  std::unique_ptr<vernal::BackendPool> create_pool() override;
  std::vector<vernal::MemoryRow> memory_report() const override;
  vernal_step_stats stats() const override;

  /// Runs a batch and returns its outputs. states[i] belongs to sequence i of the batch and is
  /// advanced.
  vernal::StepOutputs run(const vernal::StepBatch& batch, std::vector<SequenceState>& states) const;

  const vernal::Module& module() const { return *module_; }
  const vernal::PlanOptions& options() const { return options_; }
  const std::vector<StoredWeight>& weights() const { return weights_; }
  vernal_plan_info plan_info() const;

 private:
  std::shared_ptr<const vernal::Module> module_;
  vernal::PlanOptions options_;
  std::vector<StoredWeight> weights_;
  struct Counters {  // stats() reads them on any thread while a step runs
    std::atomic<std::uint64_t> steps{0};
    std::atomic<std::uint64_t> tokens{0};
    std::atomic<std::uint64_t> busy_ns{0};
  };
  mutable Counters counters_;
};

/// The sizes that the plan and the pool report.
vernal_plan_info price(const vernal::Module& module, const vernal::PlanOptions& options);
/// The bytes of the keys and values of one position in a state.
std::uint64_t kv_bytes(const vernal::State& s, const vernal::PlanOptions& options);
std::vector<vernal::MemoryRow> memory_rows(const vernal::Module& module,
                                           const vernal::PlanOptions& options);

}  // namespace reference

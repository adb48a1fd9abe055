// A compiled module with its weights, and the running of its functions.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>

#include "compile/compiled_module.hpp"
#include "instance.hpp"
#include "operation_times.hpp"
#include "streamed_products.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cpu_avx2 {

class Pool;

class Program final : public BackendProgram {
 public:
  /// Loads the weights. Build thread.
  Program(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<Instance> instance,
          const WeightSource& source, const Progress& progress);

  std::unique_ptr<BackendPool> create_pool() override;
  std::vector<MemoryRow> memory_report() const override;
  vernal_step_stats stats() const override;

  /// The pool sets itself when it is made, and nullptr when it goes.
  void set_pool(const Pool* pool) const;

  const CompiledModule& compiled() const { return *compiled_; }
  const Weights& weights() const { return weights_; }

  /// Runs all operations of a function. Engine thread of the program. `step` points to memory for
  /// this function: arena, outputs, scratch for every worker.
  void run(const CompiledFunction& function, const StepContext& step) const;

  /// Gives large products to a stream of weights from now on. Control thread, before create_pool().
  void use_stream(const vernal_weight_stream_use& use);
  /// Null: there is no stream. Steps use it.
  StreamedProducts* streamed() const { return streamed_.get(); }

  /// Engine thread, between steps.
  OperationTimes& times() const { return times_; }

 private:
  void run_timed(const CompiledFunction& function, const StepContext& step) const;

  std::shared_ptr<CompiledModule> compiled_;
  std::shared_ptr<Instance> instance_;
  Weights weights_;
  std::unique_ptr<StreamedProducts> streamed_;
  mutable OperationTimes times_;
  mutable std::mutex pool_mutex_;
  mutable const Pool* pool_ = nullptr;
  mutable std::atomic<std::uint64_t> steps_{0};
  mutable std::atomic<std::uint64_t> tokens_{0};
  mutable std::atomic<std::uint64_t> busy_ns_{0};
};

}  // namespace vernal::cpu_avx2

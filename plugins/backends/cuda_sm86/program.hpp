// A compiled module with its weights on the device, and the running of its functions.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "compile/compiled_module.hpp"
#include "device/memory.hpp"
#include "device/stream.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::cuda_sm86 {

class Pool;

/// What an instance was configured with.
struct Instance {
  int device = 0;  ///< as CUDA counts them
  /// Waits after every operation, so that an error names the operation that caused it. Slow.
  bool sync_every_operation = false;
  /// Else every operation of a module has a launch of its own. Slow.
  bool fuses_operations = true;
};

class Program final : public BackendProgram {
 public:
  /// Loads the weights. Build thread.
  Program(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<const Instance> instance,
          const WeightSource& source, const Progress& progress);

  std::unique_ptr<BackendPool> create_pool() override;
  std::vector<MemoryRow> memory_report() const override;
  vernal_step_stats stats() const override;

  /// The pool sets itself when it is made, and nullptr when it goes.
  void set_pool(const Pool* pool) const;

  const CompiledModule& compiled() const { return *compiled_; }
  const Instance& instance() const { return *instance_; }
  const Weights& weights() const { return weights_; }
  /// All work of the program, in order.
  const Stream& stream() const { return stream_; }

  /// Puts all operations of a function into the stream. Engine thread of the program.
  void launch(const CompiledFunction& function, const StepContext& step) const;
  /// Counts a finished step.
  void count_step(std::int64_t num_tokens, std::uint64_t busy_ns) const;

 private:
  std::shared_ptr<CompiledModule> compiled_;
  std::shared_ptr<const Instance> instance_;
  Stream stream_;
  Weights weights_;
  Buffer constants_;
  mutable std::mutex pool_mutex_;
  mutable const Pool* pool_ = nullptr;
  mutable std::atomic<std::uint64_t> steps_{0};
  mutable std::atomic<std::uint64_t> tokens_{0};
  mutable std::atomic<std::uint64_t> busy_ns_{0};
};

/// Makes the instance's device that of the calling thread. The runtime keeps one for each thread,
/// so every call of the interface that uses the device begins with this.
void use_device(const Instance& instance);

}  // namespace vernal::cuda_sm86

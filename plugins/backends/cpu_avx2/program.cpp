#include "program.hpp"

#include <chrono>
#include <utility>

#include "state/pool.hpp"

namespace vernal::cpu_avx2 {

Program::Program(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<Instance> instance,
                 const WeightSource& source, const Progress& progress)
    : compiled_(std::move(compiled)),
      instance_(std::move(instance)),
      weights_(compiled_->weights, *compiled_->module, source, progress, *instance_),
      times_(compiled_->operation_kinds) {
  weights_.lock(compiled_->lock);
  for (const CompiledFunction& function : compiled_->functions) {
    for (RopeTableOperation* table : function.rope_tables) table->prepare(weights_);
  }
}

std::unique_ptr<BackendPool> Program::create_pool() { return std::make_unique<Pool>(*this); }

std::vector<MemoryRow> Program::memory_report() const {
  std::vector<MemoryRow> out = compiled_->weight_rows(weights_.bytes());
  const std::scoped_lock lock(pool_mutex_);
  if (pool_ != nullptr) pool_->report_memory(out);
  return out;
}

void Program::use_stream(const vernal_weight_stream_use& use) {
  streamed_ = std::make_unique<StreamedProducts>(use, compiled_->module->weights.size());
}

void Program::set_pool(const Pool* pool) const {
  const std::scoped_lock lock(pool_mutex_);
  pool_ = pool;
}

vernal_step_stats Program::stats() const {
  vernal_step_stats out{};
  out.struct_size = sizeof(out);
  out.steps = steps_.load(std::memory_order_relaxed);
  out.tokens = tokens_.load(std::memory_order_relaxed);
  out.busy_ns = busy_ns_.load(std::memory_order_relaxed);
  return out;
}

void Program::run(const CompiledFunction& function, const StepContext& step) const {
  const std::scoped_lock lock(instance_->turn);
  const auto begin = std::chrono::steady_clock::now();
  if (times_.is_on()) {
    run_timed(function, step);
  } else {
    instance_->threads.run([&](Worker& worker) {
      for (const auto& operation : function.operations) {
        if (operation->needs_barrier) worker.barrier();
        operation->run(step, worker);
      }
    });
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  steps_.fetch_add(1, std::memory_order_relaxed);
  tokens_.fetch_add(static_cast<std::uint64_t>(step.num_tokens), std::memory_order_relaxed);
  busy_ns_.fetch_add(static_cast<std::uint64_t>(
                         std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count()),
                     std::memory_order_relaxed);
}

// The first worker's clock is everybody's: what it waits for at the barrier behind an operation belongs
// to that operation.
void Program::run_timed(const CompiledFunction& function, const StepContext& step) const {
  instance_->threads.run([&](Worker& worker) {
    const bool keeps_time = worker.index() == 0;
    OperationTimes::Clock::time_point begin = OperationTimes::Clock::now();
    const Operation* last = nullptr;
    const auto finish_last = [&] {
      const auto now = OperationTimes::Clock::now();
      if (last != nullptr) times_.add(last->timer, now - begin);
      begin = now;
    };
    for (const auto& operation : function.operations) {
      if (operation->needs_barrier) worker.barrier();
      if (keeps_time) finish_last();
      last = operation.get();
      operation->run(step, worker);
    }
    worker.barrier();
    if (keeps_time) finish_last();
  });
}

}  // namespace vernal::cpu_avx2

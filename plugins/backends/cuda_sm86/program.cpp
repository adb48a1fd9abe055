#include "program.hpp"

#include <utility>

#include "device/cuda_error.hpp"
#include "shared/state/memory.hpp"
#include "state/pool.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// The instance, once its device is that of this thread: what follows in a constructor uses it.
std::shared_ptr<const Instance> used(std::shared_ptr<const Instance> instance) {
  use_device(*instance);
  return instance;
}

}  // namespace

void use_device(const Instance& instance) {
  check_cuda(cudaSetDevice(instance.device), "choosing device " + std::to_string(instance.device));
}

Program::Program(std::shared_ptr<CompiledModule> compiled, std::shared_ptr<const Instance> instance,
                 const WeightSource& source, const Progress& progress)
    : compiled_(std::move(compiled)),
      instance_(used(std::move(instance))),
      weights_(compiled_->weights, *compiled_->module, source, progress, stream_),
      constants_(MemoryPlace::kDevice, std::max<std::int64_t>(compiled_->constant_bytes, 1),
                 "constants") {
  std::int64_t at = 0;
  for (const CompiledFunction& function : compiled_->functions) {
    for (RopeTableOperation* table : function.rope_tables) {
      table->prepare(weights_, constants_.data() + at, stream_);
      at += backend::aligned_bytes(table->constant_bytes());
    }
  }
}

std::unique_ptr<BackendPool> Program::create_pool() {
  use_device(*instance_);
  return std::make_unique<Pool>(*this);
}

std::vector<MemoryRow> Program::memory_report() const {
  std::vector<MemoryRow> out = compiled_->weight_rows();
  const std::scoped_lock lock(pool_mutex_);
  if (pool_ != nullptr) pool_->report_memory(out);
  return out;
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

void Program::launch(const CompiledFunction& function, const StepContext& step) const {
  for (const auto& operation : function.operations) {
    check_cuda(operation->launch(step), operation->name);
    if (instance_->sync_every_operation) {
      check_cuda(cudaStreamSynchronize(step.size.stream), operation->name);
    }
  }
}

void Program::count_step(std::int64_t num_tokens, std::uint64_t busy_ns) const {
  steps_.fetch_add(1, std::memory_order_relaxed);
  tokens_.fetch_add(static_cast<std::uint64_t>(num_tokens), std::memory_order_relaxed);
  busy_ns_.fetch_add(busy_ns, std::memory_order_relaxed);
}

}  // namespace vernal::cuda_sm86

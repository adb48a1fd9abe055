// Sequences and steps of one program.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "program.hpp"
#include "shared/state/paged_pool.hpp"
#include "vernal/backend_plugin.hpp"
#include "vernal/state/id_table.hpp"

namespace vernal::cpu_avx2 {

/// Engine thread only. The work of a step is done in step_submit. A step is checked as a whole
/// before it touches anything, so a failed one leaves its sequences as they were.
class Pool final : public backend::PagedPool {
 public:
  /// Borrows the program, which outlives it.
  explicit Pool(const Program& program);
  ~Pool() override { program_.set_pool(nullptr); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Adds a row for each of its regions.
  void report_memory(std::vector<MemoryRow>& out) const;

  vernal_ticket step_submit(const StepBatch& batch) override;
  bool step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) override;
  bool step_poll(vernal_ticket ticket) override;
  StepOutput step_output(vernal_ticket ticket, std::string_view name) override;
  void step_release(vernal_ticket ticket) override;

 private:
  /// A finished step whose results are kept.
  struct Ticket {
    std::size_t slot = 0;  // of the results' memory
    std::uint64_t function = 0;
    std::int64_t num_tokens = 0;
    std::int64_t num_rows = 0;
  };

  void lock_what_steps_read() const;
  void bind_inputs(const StepBatch& batch, const CompiledFunction& function, StepContext& step);
  const void* bind_input(const StepBatch& batch, const InputSlot& slot, std::int64_t count);
  void bind_sequences(const StepBatch& batch, StepContext& step);
  void schedule(const CompiledFunction& function, const StepContext& step);
  std::size_t free_slot() const;
  std::byte* results(std::size_t slot) const;

  const Program& program_;
  ReservedMemory workspace_;  // arena, then scratch for each worker
  ReservedMemory results_;    // kLiveSteps times the outputs of a step
  IdTable<Ticket> tickets_{"step"};
  std::array<bool, kLiveSteps> is_slot_taken_{};
  // Reused from step to step.
  std::vector<const void*> inputs_;
  std::vector<AttentionSequence> attention_;  // by group of the function, then by sequence
  std::vector<KvPagesOfStep> kv_;
  std::vector<std::byte*> slots_;
  std::vector<AttentionSchedule> schedules_;
};

}  // namespace vernal::cpu_avx2

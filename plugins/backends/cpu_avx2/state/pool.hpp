// Sequences and steps of one program.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "program.hpp"
#include "shared/kv_pages.hpp"
#include "shared/sequences.hpp"
#include "state/host_memory.hpp"
#include "vernal/backend_plugin.hpp"
#include "vernal/state/id_table.hpp"

namespace vernal::cpu_avx2 {

/// Engine thread only. The work of a step is done in step_submit. A step is checked as a whole
/// before it touches anything, so a failed one leaves its sequences as they were.
class Pool final : public BackendPool {
 public:
  /// Borrows the program, which outlives it.
  explicit Pool(const Program& program);
  ~Pool() override { program_.set_pool(nullptr); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Adds a row for each of its regions.
  void report_memory(std::vector<MemoryRow>& out) const;

  vernal_pool_info info() const override;
  vernal_sequence_id seq_create() override { return sequences_.create(); }
  void seq_release(vernal_sequence_id sequence) override { sequences_.release(sequence); }
  void seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) override {
    sequences_.reserve(sequence, num_tokens);
  }
  std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function) override;
  std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) override {
    return sequences_.restorable(sequence, new_length);
  }
  void seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) override {
    sequences_.truncate(sequence, new_length);
  }
  vernal_sequence_id seq_fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                              std::uint64_t position) override {
    return sequences_.fork(source, checkpoint, position);
  }
  void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) override {
    sequences_.restore(sequence, checkpoint);
  }
  vernal_checkpoint_id checkpoint_create(vernal_sequence_id sequence) override {
    return sequences_.create_checkpoint(sequence);
  }
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint) override;
  void checkpoint_release(vernal_checkpoint_id checkpoint) override {
    sequences_.release_checkpoint(checkpoint);
  }
  void snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                       const vernal_sink* sink) override;
  vernal_sequence_id snapshot_import(const vernal_reader* reader) override;

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
  void check_sizes(const StepBatch& batch) const;
  void check_sequences(const StepBatch& batch);
  void bind_inputs(const StepBatch& batch, const CompiledFunction& function, StepContext& step);
  const void* bind_input(const StepBatch& batch, const InputSlot& slot, std::int64_t count) const;
  void bind_sequences(const StepBatch& batch, StepContext& step);
  void schedule(const CompiledFunction& function, const StepContext& step);
  std::size_t free_slot() const;
  std::byte* results(std::size_t slot) const;

  const Program& program_;
  HostMemory memory_;
  std::vector<backend::KvPages> pages_;  // by group of the plan
  backend::StateStore states_;
  backend::Sequences sequences_;
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

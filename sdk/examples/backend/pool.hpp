// Sequences, checkpoints and steps of one program.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "id_table.hpp"
#include "program.hpp"
#include "sequence_state.hpp"
#include "vernal/backend_plugin.hpp"

namespace reference {

/// Engine thread only. Work is done in step_submit.
class Pool final : public vernal::BackendPool {
 public:
  explicit Pool(const Program& program);

  vernal_pool_info info() const override;
  vernal_sequence_id seq_create() override;
  void seq_release(vernal_sequence_id sequence) override;
  void seq_reserve(vernal_sequence_id sequence, std::uint64_t num_tokens) override;
  std::uint64_t seq_length(vernal_sequence_id sequence, std::uint64_t function) override;
  std::uint64_t seq_restorable(vernal_sequence_id sequence, std::uint64_t new_length) override;
  void seq_truncate(vernal_sequence_id sequence, std::uint64_t new_length) override;
  vernal_sequence_id seq_fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                              std::uint64_t position) override;
  void seq_restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint) override;
  vernal_checkpoint_id checkpoint_create(vernal_sequence_id sequence) override;
  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id checkpoint) override;
  void checkpoint_release(vernal_checkpoint_id checkpoint) override;
  void snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                       const vernal_sink* sink) override;
  vernal_sequence_id snapshot_import(const vernal_reader* reader) override;

  vernal_ticket step_submit(const vernal::StepBatch& batch) override;
  bool step_wait(vernal_ticket ticket, std::uint64_t timeout_ms) override;
  bool step_poll(vernal_ticket ticket) override;
  vernal::StepOutput step_output(vernal_ticket ticket, std::string_view name) override;
  void step_release(vernal_ticket ticket) override;

 private:
  /// Whether nothing is ever given up: keys and values alone, without windows.
  bool cuts_anywhere() const;
  /// Whether every state can be taken back so far that `main` has `new_length` tokens.
  bool can_cut(const SequenceState& state, std::uint64_t new_length) const;
  /// Throws RESOURCE_EXHAUSTED if the plan has no room for another sequence. Forks of keys and
  /// values alone take nothing but positions and do not count.
  void require_sequence(bool is_fork) const;
  /// Positions held or promised by all live sequences and checkpoints.
  std::uint64_t used_tokens() const;
  void cut(SequenceState& state, std::uint64_t new_length) const;
  SequenceState& valid_sequence(vernal_sequence_id sequence);
  /// The states of a batch's sequences, after a check that it continues them.
  std::vector<SequenceState*> continued(const vernal::StepBatch& batch);
  /// The batch with every input in host memory, results of earlier steps too.
  vernal::StepBatch resolved(const vernal::StepBatch& batch);

  const Program& program_;
  IdTable<SequenceState> sequences_;
  IdTable<SequenceState> checkpoints_;
  IdTable<StepResult> tickets_;
};

}  // namespace reference

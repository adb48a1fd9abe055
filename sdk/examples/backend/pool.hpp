// Sequences, checkpoints and steps of one program.
#pragma once

#include <vector>

#include "program.hpp"
#include "sequence_state.hpp"
#include "vernal/state/copied_pool.hpp"

namespace reference {

/// A step is computed in step_submit. Engine thread only.
class Pool final : public vernal::CopiedPool<SequenceState> {
 public:
  explicit Pool(const Program& program);

  vernal_checkpoint_info checkpoint_info(vernal_checkpoint_id id) override;
  void snapshot_export(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint,
                       const vernal_sink* sink) override;
  vernal_sequence_id snapshot_import(const vernal_reader* reader) override;

 private:
  SequenceState make_state() const override;
  vernal::StepOutputs run(const vernal::StepBatch& batch,
                          std::vector<SequenceState>& states) override;
  bool can_cut(const Held& held, std::uint64_t new_length) const override;
  void cut(Held& held, std::uint64_t new_length) const override;
  void leave_behind(Held& held) const override;
  void forget_history(Held& held) const override;

  const Program& program_;
};

}  // namespace reference

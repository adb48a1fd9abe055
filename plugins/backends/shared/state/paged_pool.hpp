// The part of a pool that is the same for every backend with paged keys and values: sequences,
// checkpoints, snapshots, and the checks of a step. A backend adds the steps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/state/kv_pages.hpp"
#include "shared/state/kv_plan.hpp"
#include "shared/state/sequences.hpp"
#include "shared/state/state_plan.hpp"
#include "shared/state/state_store.hpp"
#include "vernal/backend_plugin.hpp"

namespace vernal::backend {

/// What a pool is made for. Borrowed; outlives the pool.
struct PoolPlan {
  const Module& module;
  const PlanOptions& options;
  const KvPlan& kv;
  const StatePlan& states;
};

/// Who writes snapshots, and may read them.
struct SnapshotOwner {
  std::string plugin_id;
  std::string version;
};

/// Engine thread only. backend.h and sdk/spec/state.md say what the calls mean.
class PagedPool : public BackendPool {
 public:
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

 protected:
  /// flags  VERNAL_POOL_* that hold for the backend's steps
  /// Errors  those of Memory::reserve()
  PagedPool(std::unique_ptr<Memory> memory, const PoolPlan& plan, SnapshotOwner owner,
            std::uint32_t flags);

  /// Refuses a step that does not fit the plan or does not continue its sequences where they end.
  /// Touches nothing.
  void check_step(const StepBatch& batch) const;
  /// Before a step that passed: takes the pages it writes to. After it: the sequences have grown.
  void begin_step(const StepBatch& batch);
  void commit_step(const StepBatch& batch);

  Memory& memory() const { return *memory_; }
  const std::vector<KvPages>& pages() const { return pages_; }  // by group of the plan
  const StateStore& states() const { return states_; }
  const Sequences& sequences() const { return sequences_; }

 private:
  std::string snapshot_version() const;
  std::size_t pending_bytes() const;

  std::unique_ptr<Memory> memory_;
  PoolPlan plan_;
  SnapshotOwner owner_;
  std::uint32_t flags_;
  std::vector<KvPages> pages_;
  StateStore states_;
  Sequences sequences_;
};

}  // namespace vernal::backend

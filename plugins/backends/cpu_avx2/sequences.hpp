// Sequences and checkpoints of a pool: lengths and pages, nothing of what is in them.
#pragma once

#include <cstdint>
#include <vector>

#include "id_table.hpp"
#include "kv_pages.hpp"
#include "vernal/abi/backend.h"

namespace vernal::cpu_avx2 {

/// Tokens held, by function, and the pages of the positions. Page i holds positions 64 i and on.
struct SequenceState {
  std::vector<std::uint64_t> lengths;
  std::vector<PageId> pages;
  std::uint64_t reserved = 0;  ///< positions that may be written; a checkpoint's: its length
};

/// Keeps the rule that makes sharing safe: a sequence writes only into pages that it holds alone,
/// at or behind its own length. Shared pages are copied when room behind them is reserved. Engine
/// thread only. Meaning of the calls: backend.h.
class Sequences {
 public:
  struct Limits {
    std::uint64_t context_length;
    std::uint64_t num_functions;
  };
  Sequences(KvPages& pages, Limits limits);

  vernal_sequence_id create();
  void release(vernal_sequence_id sequence);
  void reserve(vernal_sequence_id sequence, std::uint64_t num_tokens);
  void truncate(vernal_sequence_id sequence, std::uint64_t new_length);
  vernal_sequence_id fork(vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                          std::uint64_t position);
  void restore(vernal_sequence_id sequence, vernal_checkpoint_id checkpoint);
  vernal_checkpoint_id create_checkpoint(vernal_sequence_id sequence);
  void release_checkpoint(vernal_checkpoint_id checkpoint);

  SequenceState& sequence(vernal_sequence_id id) { return sequences_.get(id); }
  const SequenceState& checkpoint(vernal_checkpoint_id id) const { return checkpoints_.get(id); }

  /// Pages that only this checkpoint holds.
  std::int64_t pages_held_alone(const SequenceState& state) const;
  /// Pages that no live sequence holds.
  std::int64_t pages_held_by_checkpoints() const;

 private:
  SequenceState share(const SequenceState& source, std::uint64_t length);
  void drop_pages(SequenceState& state, std::size_t first);

  KvPages& pages_;
  Limits limits_;
  IdTable<SequenceState> sequences_{"sequence"};
  IdTable<SequenceState> checkpoints_{"checkpoint"};
};

}  // namespace vernal::cpu_avx2

// Where the recurrent and convolution states of a sequence lie in its slot of the pool.
#pragma once

#include <cstdint>
#include <vector>

#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// A slot holds everything of one sequence whose size does not grow. What the last rollback_depth
/// tokens changed can be taken back, because a slot keeps more than the newest state:
///   RECURRENT  rollback_depth + 1 versions of f32 [heads][key_dim][value_dim]; the one after n
///              tokens is version n mod (rollback_depth + 1)
///   CONV       the last width - 1 + rollback_depth columns of f32 [channels]; that of token t is
///              column t mod their number
/// At length 0 a state is zero, whatever its memory holds.
class StatePlan {
 public:
  /// Errors  UNSUPPORTED: a storage format other than f32
  StatePlan(const Module& module, const PlanOptions& options);

  struct Entry {
    std::uint32_t kind = VERNAL_STATE_KV;  ///< KV: not in the slot
    std::uint32_t function = 0;
    std::int64_t offset = 0;          ///< bytes from the start of a slot
    std::int64_t part_bytes = 0;      ///< of a version or column
    std::int64_t num_parts = 0;       ///< versions or columns
    std::int64_t kept_offset = 0;     ///< bytes from the start of a checkpoint
    std::int64_t num_kept_parts = 0;  ///< in a checkpoint: the newest version, or all columns
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry& entry(std::uint32_t state) const { return entries_[state]; }

  /// False for a model of attention alone: then slots have no bytes, and nobody needs one.
  bool is_hybrid() const { return slot_bytes_ > 0; }
  /// Whether a function has a state that cannot be cut at will.
  bool is_exact(std::size_t function) const { return is_exact_[function]; }

  std::int64_t slot_bytes() const { return slot_bytes_; }
  std::int64_t num_slots() const { return is_hybrid() ? max_sequences_ : 0; }
  std::int64_t checkpoint_bytes() const { return checkpoint_bytes_; }
  std::int64_t max_checkpoints() const { return max_checkpoints_; }
  std::uint64_t rollback_depth() const { return rollback_depth_; }

  /// All slots, and all checkpoints.
  std::int64_t bytes() const { return slot_bytes_ * num_slots(); }
  std::int64_t all_checkpoint_bytes() const { return checkpoint_bytes_ * max_checkpoints_; }

 private:
  std::vector<Entry> entries_;  // by state
  std::vector<bool> is_exact_;  // by function
  std::int64_t slot_bytes_ = 0;
  std::int64_t checkpoint_bytes_ = 0;
  std::int64_t max_sequences_ = 0;
  std::int64_t max_checkpoints_ = 0;
  std::uint64_t rollback_depth_ = 0;
};

}  // namespace vernal::backend

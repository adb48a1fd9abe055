// Where the recurrent and convolution states of a sequence lie in its slot of the pool.
#pragma once

#include <cstdint>
#include <vector>

#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// How a slot keeps what the last rollback_depth tokens did to a recurrent state.
///   kVersions  rollback_depth + 1 versions of the state; the one after n tokens is version n mod
///              (rollback_depth + 1). A step writes one for each of its newest tokens.
///   kReplay    one version, the state `pending` tokens ago, and a log of what those tokens did. A
///              step reads it, passes the tokens of the log again, goes on with its own, and writes
///              the state after all but the newest rollback_depth of them. So it reads and writes
///              one version at most, however many tokens can be taken back.
enum class RollbackForm { kVersions, kReplay };

/// What a replay reads of the tokens at the end of a sequence: all that the delta rule takes but
/// the queries. Token t has place t mod depth. The keys have two sides: a step reads one and writes
/// the other, because several blocks of threads read a key that one of them writes.
struct ReplayLog {
  std::int64_t depth = 0;          ///< tokens; 0: there is no log
  std::int64_t value_bytes = 0;    ///< of a token: f32 [value_heads][value_dim]
  std::int64_t key_bytes = 0;      ///< of a token on one side: f32 keys, gates, betas
  std::int64_t values_offset = 0;  ///< bytes from the start of the state: [depth] values
  std::int64_t keys_offset = 0;    ///< then [2][depth] keys
  std::int64_t bytes() const { return depth * (value_bytes + 2 * key_bytes); }
};

/// A slot holds everything of one sequence whose size does not grow. What the last rollback_depth
/// tokens changed can be taken back, because a slot keeps more than the newest state:
///   RECURRENT  f32 [heads][key_dim][value_dim] in versions or with a log, as RollbackForm says
///   CONV       the last width - 1 + rollback_depth columns of f32 [channels]; that of token t is
///              column t mod their number
/// At length 0 a state is zero, whatever its memory holds.
class StatePlan {
 public:
  /// Errors  UNSUPPORTED: a storage format other than f32
  StatePlan(const Module& module, const PlanOptions& options,
            RollbackForm form = RollbackForm::kVersions);

  struct Entry {
    std::uint32_t kind = VERNAL_STATE_KV;  ///< KV: not in the slot
    std::uint32_t function = 0;
    std::int64_t offset = 0;          ///< bytes from the start of a slot
    std::int64_t part_bytes = 0;      ///< of a version or column
    std::int64_t num_parts = 0;       ///< versions or columns
    ReplayLog log;                    ///< behind the parts; of a recurrent state in kReplay
    std::int64_t kept_offset = 0;     ///< bytes from the start of a checkpoint
    std::int64_t num_kept_parts = 0;  ///< in a checkpoint: the newest version, or all columns

    std::int64_t bytes() const { return part_bytes * num_parts + log.bytes(); }
    /// In a checkpoint. A log is kept whole.
    std::int64_t kept_bytes() const { return part_bytes * num_kept_parts + log.bytes(); }
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry& entry(std::uint32_t state) const { return entries_[state]; }

  /// False for a model of attention alone: then slots have no bytes, and nobody needs one.
  bool is_hybrid() const { return slot_bytes_ > 0; }
  /// Whether recurrent states lie in one version with a log.
  bool has_log() const { return has_log_; }
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
  bool has_log_ = false;
};

}  // namespace vernal::backend

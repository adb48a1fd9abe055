// Faults of windows: what lies behind them is given up too early, or missed too late.
#include <algorithm>
#include <map>

#include "step_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

constexpr std::uint64_t kWindow = 8;  // of the check's model
constexpr std::uint64_t kRollbackDepth = 4;

/// Tokens of a sequence that still see keys which are gone.
std::map<vernal_sequence_id, std::uint64_t>& blind() {
  static std::map<vernal_sequence_id, std::uint64_t> tokens;
  return tokens;
}
std::map<vernal_sequence_id, std::uint64_t>& lengths() {
  static std::map<vernal_sequence_id, std::uint64_t> tokens;
  return tokens;
}

void show_blind(const StepFacts& facts, Numbers& numbers) {
  for (const vernal_step_sequence& part : facts.parts) {
    lengths()[part.sequence] = part.first_position + part.count;
    std::uint64_t& left = blind()[part.sequence];
    for (std::uint64_t t = 0; t < part.count && left > 0; ++t, --left) {
      numbers.scale(part.start + t, 1.1F);
    }
  }
}

/// Pages go as soon as their last key is half a window back.
void window_leaves_too_early(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    for (const vernal_step_sequence& part : facts.parts) {
      for (std::uint64_t i = 0; i < part.count; ++i) {
        const std::uint64_t position = part.first_position + i;
        if (position >= 128 && position % 64 < kWindow) numbers.scale(part.start + i, 1.5F);
      }
    }
  });
}

/// Every cut is done, whether the keys before it are still there or not.
void cuts_behind_window(Tables& t) {
  change_outputs(t, show_blind);
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) {
    vernal_plan_options keeping = vernal::copy_in(options);
    keeping.rollback_depth = keeping.context_length;
    return sound().backend.plan(backend, module, &keeping, out);
  };
  t.backend.seq_truncate = [](vernal_pool* pool, vernal_sequence_id sequence,
                              std::uint64_t length) {
    const std::uint64_t before = lengths()[sequence];
    if (before > length + kRollbackDepth && length > 0) blind()[sequence] = kWindow;
    return sound().backend.seq_truncate(pool, sequence, length);
  };
}

/// What a checkpoint holds is given up with its source's.
void checkpoint_loses_window(Tables& t) {
  struct Kept {
    vernal_sequence_id source;
    std::uint64_t position;
  };
  static std::map<vernal_checkpoint_id, Kept> kept;
  change_outputs(t, show_blind);
  t.backend.checkpoint_create = [](vernal_pool* pool, vernal_sequence_id sequence,
                                   vernal_checkpoint_id* out) {
    const std::int32_t status = sound().backend.checkpoint_create(pool, sequence, out);
    if (status == VERNAL_OK) kept[*out] = {sequence, lengths()[sequence]};
    return status;
  };
  t.backend.seq_restore = [](vernal_pool* pool, vernal_sequence_id sequence,
                             vernal_checkpoint_id checkpoint) {
    const Kept& of = kept[checkpoint];
    const bool is_gone = lengths()[of.source] > of.position + 2 * kWindow;
    blind()[sequence] = is_gone ? kWindow : 0;
    return sound().backend.seq_restore(pool, sequence, checkpoint);
  };
}

/// Counts on sequences that are shorter than their context.
void half_the_room(Tables& t) {
  t.backend.plan = [](vernal_backend* backend, vernal_module_ref module,
                      const vernal_plan_options* options, vernal_plan** out) {
    vernal_plan_options less = vernal::copy_in(options);
    less.kv_tokens /= 2;
    return sound().backend.plan(backend, module, &less, out);
  };
}

void ignores_max_sequences(Tables& t) {
  static vernal_sequence_id newest;
  t.backend.seq_create = [](vernal_pool* pool, vernal_sequence_id* out) {
    const std::int32_t status = sound().backend.seq_create(pool, out);
    if (status == VERNAL_OK) newest = *out;
    return status == VERNAL_OK ? status : sound().backend.seq_fork(pool, newest, 0, 0, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& window_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"window_leaves_too_early", window_leaves_too_early},
      {"cuts_behind_window", cuts_behind_window},
      {"checkpoint_loses_window", checkpoint_loses_window},
      {"half_the_room", half_the_room},
      {"ignores_max_sequences", ignores_max_sequences},
  };
  return faults;
}

}  // namespace zoo

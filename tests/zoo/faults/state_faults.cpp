// Faults of sequences, checkpoints and what they share.
#include <map>
#include <set>
#include <vector>

#include "step_change.hpp"
#include "zoo.hpp"

namespace zoo {
namespace {

void stale_sequence(Tables& t) {
  t.backend.seq_release = [](vernal_pool* pool, vernal_sequence_id sequence) {
    std::uint64_t length = 0;
    return sound().backend.seq_length(pool, sequence, 0, &length);
  };
}

void stale_checkpoint(Tables& t) {
  t.backend.checkpoint_release = [](vernal_pool* pool, vernal_checkpoint_id checkpoint) {
    vernal_checkpoint_info info{};
    info.struct_size = sizeof(info);
    return sound().backend.checkpoint_info(pool, checkpoint, &info);
  };
}

/// Two parts of a step that are alike are taken for each other.
void leaks_between_sequences(Tables& t) {
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    std::vector<vernal_step_sequence> parts;
    for (std::uint64_t i = 0; i < batch->num_sequences; ++i) {
      parts.push_back(vernal::element_at(batch->sequences, batch->sequence_stride, i));
    }
    for (std::size_t i = 1; i < parts.size(); ++i) {
      vernal_step_sequence& a = parts[i - 1];
      vernal_step_sequence& b = parts[i];
      if (a.count != b.count || a.first_position != b.first_position) continue;
      std::swap(a.sequence, b.sequence);
      break;
    }
    vernal_step_batch mine = vernal::copy_in(batch);
    mine.sequences = parts.data();
    mine.sequence_stride = sizeof(parts[0]);
    return sound().backend.step_submit(pool, &mine, out);
  };
}

void truncates_on_refusal(Tables& t) {
  t.backend.seq_truncate = [](vernal_pool* pool, vernal_sequence_id sequence,
                              std::uint64_t length) {
    const std::int32_t status = sound().backend.seq_truncate(pool, sequence, length);
    std::uint64_t now = 0;
    if (status != VERNAL_OK && sound().backend.seq_length(pool, sequence, 0, &now) == VERNAL_OK) {
      sound().backend.seq_truncate(pool, sequence, now - 1);
      return fail(status, "this cannot be restored, and now it is shorter");
    }
    return status;
  };
}

void restorable_lies(Tables& t) {
  t.backend.seq_restorable = [](vernal_pool* pool, vernal_sequence_id sequence,
                                std::uint64_t length, std::uint64_t* out) {
    const std::int32_t status = sound().backend.seq_restorable(pool, sequence, length, out);
    if (status == VERNAL_OK && *out != 0) --*out;
    return status;
  };
}

void fork_ignores_position(Tables& t) {
  t.backend.seq_fork = [](vernal_pool* pool, vernal_sequence_id source,
                          vernal_checkpoint_id checkpoint, std::uint64_t position,
                          vernal_sequence_id* out) {
    std::uint64_t length = position;
    if (source != 0) sound().backend.seq_length(pool, source, 0, &length);
    return sound().backend.seq_fork(pool, source, checkpoint, length, out);
  };
}

// ---- what sequences remember, wrongly -----------------------------------------------------------

/// Sequences whose recurrent state is not what it should be, and how many of their tokens show it.
std::map<vernal_sequence_id, std::uint64_t>& spoiled() {
  static std::map<vernal_sequence_id, std::uint64_t> tokens;
  return tokens;
}
std::map<vernal_sequence_id, vernal_sequence_id>& parent_of() {
  static std::map<vernal_sequence_id, vernal_sequence_id> parents;
  return parents;
}

void show_spoiled(const StepFacts& facts, Numbers& numbers) {
  for (const vernal_step_sequence& part : facts.parts) {
    std::uint64_t& left = spoiled()[part.sequence];
    for (std::uint64_t t = 0; t < part.count && left > 0; ++t, --left) {
      numbers.scale(part.start + t, 1.01F);
    }
  }
}

/// What a fork steps is stepped in its source's memory too.
void fork_shares_state(Tables& t) {
  change_outputs(t, [](const StepFacts& facts, Numbers& numbers) {
    show_spoiled(facts, numbers);
    for (const vernal_step_sequence& part : facts.parts) {
      const auto parent = parent_of().find(part.sequence);
      if (parent != parent_of().end()) spoiled()[parent->second] = 1000;
    }
  });
  t.backend.seq_fork = [](vernal_pool* pool, vernal_sequence_id source,
                          vernal_checkpoint_id checkpoint, std::uint64_t position,
                          vernal_sequence_id* out) {
    const std::int32_t status = sound().backend.seq_fork(pool, source, checkpoint, position, out);
    if (status == VERNAL_OK && source != 0) parent_of()[*out] = source;
    return status;
  };
}

/// The last columns of a convolution are those from before the restore: three tokens see them.
void restore_forgets_convolution(Tables& t) {
  change_outputs(t, show_spoiled);
  t.backend.seq_restore = [](vernal_pool* pool, vernal_sequence_id sequence,
                             vernal_checkpoint_id checkpoint) {
    spoiled()[sequence] = 3;
    return sound().backend.seq_restore(pool, sequence, checkpoint);
  };
}

/// A step that fails leaves its rows in the memory of whoever comes next.
void failed_step_harms_others(Tables& t) {
  static bool has_failed;
  has_failed = false;
  change_outputs(t, [](const StepFacts&, Numbers& numbers) {
    if (has_failed) numbers.scale(0, 1.01F);
  });
  static std::int32_t (*submit)(vernal_pool*, const vernal_step_batch*, vernal_ticket*);
  submit = t.backend.step_submit;
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    const std::int32_t status = submit(pool, batch, out);
    if (status != VERNAL_OK) has_failed = true;
    return status;
  };
}

void exhaustion_ends_it(Tables& t) {
  static bool is_exhausted;
  is_exhausted = false;
  t.backend.seq_reserve = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t count) {
    const std::int32_t status = sound().backend.seq_reserve(pool, sequence, count);
    if (status == VERNAL_RESOURCE_EXHAUSTED) is_exhausted = true;
    return status;
  };
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    if (is_exhausted) return fail(VERNAL_RESOURCE_EXHAUSTED, "there is no room any more");
    return sound().backend.step_submit(pool, batch, out);
  };
}

/// Something keeps what a sequence held when it is released.
void room_is_not_given_back(Tables& t) {
  t.backend.seq_release = [](vernal_pool* pool, vernal_sequence_id sequence) {
    std::uint64_t length = 0;
    vernal_sequence_id kept = 0;
    if (sound().backend.seq_length(pool, sequence, 0, &length) == VERNAL_OK && length > 0) {
      sound().backend.seq_fork(pool, sequence, 0, length, &kept);
    }
    return sound().backend.seq_release(pool, sequence);
  };
}

/// Reads a snapshot to its end and says yes whatever the sound plugin says of it.
void imports_anything(Tables& t) {
  t.backend.snapshot_import = [](vernal_pool* pool, const vernal_reader* reader,
                                 vernal_sequence_id* out) {
    const std::int32_t status = sound().backend.snapshot_import(pool, reader, out);
    return status == VERNAL_OK ? status : sound().backend.seq_create(pool, out);
  };
}

}  // namespace

const std::map<std::string_view, Fault>& state_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"stale_sequence", stale_sequence},
      {"stale_checkpoint", stale_checkpoint},
      {"leaks_between_sequences", leaks_between_sequences},
      {"truncates_on_refusal", truncates_on_refusal},
      {"restorable_lies", restorable_lies},
      {"fork_ignores_position", fork_ignores_position},
      {"fork_shares_state", fork_shares_state},
      {"restore_forgets_convolution", restore_forgets_convolution},
      {"failed_step_harms_others", failed_step_harms_others},
      {"exhaustion_ends_it", exhaustion_ends_it},
      {"imports_anything", imports_anything},
      {"room_is_not_given_back", room_is_not_given_back},
  };
  return faults;
}

}  // namespace zoo

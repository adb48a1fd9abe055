// Faults of room: what seq_reserve promises, takes and gives back.
#include <algorithm>
#include <map>

#include "zoo.hpp"

namespace zoo {
namespace {

std::uint64_t free_tokens(vernal_pool* pool) {
  vernal_pool_info info{};
  info.struct_size = sizeof(info);
  sound().backend.pool_info(pool, &info);
  return info.free_tokens;
}

std::uint64_t length_of(vernal_pool* pool, vernal_sequence_id sequence) {
  std::uint64_t length = 0;
  sound().backend.seq_length(pool, sequence, 0, &length);
  return length;
}

/// Promises what is free now to everybody, and takes it when a step comes.
void reserve_overcommits(Tables& t) {
  t.backend.seq_reserve = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t count) {
    if (length_of(pool, sequence) + count <= 256 && count <= free_tokens(pool)) return VERNAL_OK;
    return sound().backend.seq_reserve(pool, sequence, count);
  };
  t.backend.step_submit = [](vernal_pool* pool, const vernal_step_batch* batch,
                             vernal_ticket* out) {
    for (std::uint64_t i = 0; i < batch->num_sequences; ++i) {
      const auto part = vernal::element_at(batch->sequences, batch->sequence_stride, i);
      const std::int32_t status = sound().backend.seq_reserve(pool, part.sequence, part.count);
      if (status != VERNAL_OK) return status;
    }
    return sound().backend.step_submit(pool, batch, out);
  };
}

/// Takes page after page and says no at the last one.
void refused_reserve_keeps(Tables& t) {
  t.backend.seq_reserve = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t count) {
    const std::int32_t status = sound().backend.seq_reserve(pool, sequence, count);
    if (status != VERNAL_RESOURCE_EXHAUSTED) return status;
    for (std::uint64_t less = std::min<std::uint64_t>(count, 4096); less > 0; less /= 2) {
      if (sound().backend.seq_reserve(pool, sequence, less) == VERNAL_OK) break;
    }
    return fail(status, "there is no room for all of it");
  };
}

/// Positions that were reserved for a sequence.
std::map<vernal_sequence_id, std::uint64_t>& promised() {
  static std::map<vernal_sequence_id, std::uint64_t> positions;
  return positions;
}

void remember_reserves(Tables& t) {
  t.backend.seq_reserve = [](vernal_pool* pool, vernal_sequence_id sequence, std::uint64_t count) {
    const std::int32_t status = sound().backend.seq_reserve(pool, sequence, count);
    if (status == VERNAL_OK) promised()[sequence] = length_of(pool, sequence) + count;
    return status;
  };
}

void reserve_again(vernal_pool* pool, vernal_sequence_id sequence) {
  const std::uint64_t length = length_of(pool, sequence);
  const std::uint64_t before = promised()[sequence];
  if (before > length) sound().backend.seq_reserve(pool, sequence, before - length);
}

void truncate_keeps_reservation(Tables& t) {
  remember_reserves(t);
  t.backend.seq_truncate = [](vernal_pool* pool, vernal_sequence_id sequence,
                              std::uint64_t length) {
    const std::int32_t status = sound().backend.seq_truncate(pool, sequence, length);
    if (status == VERNAL_OK) reserve_again(pool, sequence);
    return status;
  };
}

void restore_keeps_reservation(Tables& t) {
  remember_reserves(t);
  t.backend.seq_restore = [](vernal_pool* pool, vernal_sequence_id sequence,
                             vernal_checkpoint_id checkpoint) {
    const std::int32_t status = sound().backend.seq_restore(pool, sequence, checkpoint);
    if (status == VERNAL_OK) reserve_again(pool, sequence);
    return status;
  };
}

}  // namespace

const std::map<std::string_view, Fault>& room_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"reserve_overcommits", reserve_overcommits},
      {"refused_reserve_keeps", refused_reserve_keeps},
      {"truncate_keeps_reservation", truncate_keeps_reservation},
      {"restore_keeps_reservation", restore_keeps_reservation},
  };
  return faults;
}

}  // namespace zoo

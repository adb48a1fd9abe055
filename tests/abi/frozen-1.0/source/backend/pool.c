#include <stdlib.h>

#include "scalar.h"

/* An id is generation << 32 | slot + 1. */
static uint64_t make_id(uint64_t slot, uint32_t generation) {
  return (uint64_t)generation << 32 | (slot + 1);
}

static uint64_t slot_of(uint64_t id) { return (id & 0xFFFFFFFFu) - 1; }

struct sequence* find_sequence(vernal_pool* pool, vernal_sequence_id id) {
  if (pool == NULL) return no_handle("a call for a sequence"), NULL;
  const uint64_t slot = slot_of(id);
  struct sequence* sequence = slot < pool->num_slots ? &pool->sequences[slot] : NULL;
  if (sequence != NULL && sequence->is_live && make_id(slot, sequence->generation) == id) {
    return sequence;
  }
  fail(VERNAL_NOT_FOUND, "scalar_c: sequence %llx does not exist", (unsigned long long)id);
  return NULL;
}

static struct checkpoint* find_checkpoint(vernal_pool* pool, vernal_checkpoint_id id) {
  if (pool == NULL) return no_handle("a call for a checkpoint"), NULL;
  const uint64_t slot = slot_of(id);
  struct checkpoint* checkpoint =
      slot < pool->program->plan->max_checkpoints ? &pool->checkpoints[slot] : NULL;
  if (checkpoint != NULL && checkpoint->is_live && make_id(slot, checkpoint->generation) == id) {
    return checkpoint;
  }
  fail(VERNAL_NOT_FOUND, "scalar_c: checkpoint %llx does not exist", (unsigned long long)id);
  return NULL;
}

/* ---- the pool ----------------------------------------------------------------------------------
 */

void pool_destroy(vernal_pool* pool) {
  if (pool == NULL) return;
  free(pool->sequences);
  free(pool->checkpoints);
  free(pool);
}

int32_t pool_create(vernal_program* program, vernal_pool** out) {
  *out = NULL;
  if (program == NULL) return no_handle("pool_create");
  const vernal_plan* plan = program->plan;
  vernal_pool* pool = calloc(1, sizeof(*pool));
  if (pool == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for the pool");
  pool->program = program;
  pool->num_slots = plan->max_sequences;
  pool->free_tokens = plan->kv_tokens;
  pool->sequences = calloc(pool->num_slots, sizeof(struct sequence));
  pool->checkpoints = calloc(plan->max_checkpoints + 1, sizeof(struct checkpoint));
  if (pool->sequences == NULL || pool->checkpoints == NULL) {
    pool_destroy(pool);
    return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: no memory for the pool");
  }
  *out = pool;
  return VERNAL_OK;
}

int32_t pool_info(const vernal_pool* pool, vernal_pool_info* out) {
  vernal_pool_info info = {0};
  if (pool == NULL) return no_handle("pool_info");
  info.capacity_tokens = pool->program->plan->kv_tokens;
  info.free_tokens = pool->free_tokens;
  info.flags = VERNAL_POOL_TRUNCATE_ANY | VERNAL_POOL_STEP_ATOMIC | VERNAL_POOL_BATCH_INVARIANT;
  copy_out(&info, sizeof(info), out);
  return VERNAL_OK;
}

/* ---- sequences ---------------------------------------------------------------------------------
 */

/* Gives the sequence room up to `position`, or takes what is beyond it away. */
static int32_t set_room(vernal_pool* pool, struct sequence* sequence, uint64_t position) {
  const uint64_t available = pool->free_tokens + sequence->room;
  if (position > available || position > pool->program->plan->context_length) {
    return fail(VERNAL_RESOURCE_EXHAUSTED,
                "scalar_c: room for %llu tokens needed, %llu there, at most %llu in a sequence",
                (unsigned long long)position, (unsigned long long)available,
                (unsigned long long)pool->program->plan->context_length);
  }
  pool->free_tokens = available - position;
  sequence->room = position;
  return VERNAL_OK;
}

int32_t seq_create(vernal_pool* pool, vernal_sequence_id* out) {
  *out = 0;
  if (pool == NULL) return no_handle("seq_create");
  for (uint64_t slot = 0; slot < pool->num_slots; ++slot) {
    struct sequence* sequence = &pool->sequences[slot];
    if (sequence->is_live) continue;
    sequence->is_live = 1;
    sequence->length = 0;
    ++sequence->generation;
    *out = make_id(slot, sequence->generation);
    return VERNAL_OK;
  }
  return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: all %llu sequences are taken",
              (unsigned long long)pool->num_slots);
}

int32_t seq_release(vernal_pool* pool, vernal_sequence_id id) {
  struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  set_room(pool, sequence, 0);
  sequence->is_live = 0;
  return VERNAL_OK;
}

int32_t seq_reserve(vernal_pool* pool, vernal_sequence_id id, uint64_t num_tokens) {
  struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  if (num_tokens > UINT64_MAX - sequence->length) {
    return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: more tokens than can be counted");
  }
  const uint64_t position = sequence->length + num_tokens;
  return position <= sequence->room ? VERNAL_OK : set_room(pool, sequence, position);
}

int32_t seq_length(vernal_pool* pool, vernal_sequence_id id, uint64_t function,
                   uint64_t* out_length) {
  const struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  if (function != 0) return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: there is one function");
  *out_length = sequence->length;
  return VERNAL_OK;
}

int32_t seq_restorable(vernal_pool* pool, vernal_sequence_id id, uint64_t new_length,
                       uint64_t* out_position) {
  const struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  *out_position = new_length < sequence->length ? new_length : sequence->length;
  return VERNAL_OK;
}

int32_t seq_truncate(vernal_pool* pool, vernal_sequence_id id, uint64_t new_length) {
  struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  if (new_length > sequence->length) {
    return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: truncate to %llu of %llu tokens",
                (unsigned long long)new_length, (unsigned long long)sequence->length);
  }
  sequence->length = new_length;
  return set_room(pool, sequence, new_length);
}

int32_t seq_fork(vernal_pool* pool, vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                 uint64_t position, vernal_sequence_id* out) {
  *out = 0;
  if ((source == 0) == (checkpoint == 0)) {
    return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: fork: expected a sequence or a checkpoint");
  }
  const struct sequence* from = source != 0 ? find_sequence(pool, source) : NULL;
  const struct checkpoint* kept = checkpoint != 0 ? find_checkpoint(pool, checkpoint) : NULL;
  if (from == NULL && kept == NULL) return VERNAL_NOT_FOUND;
  const uint64_t most = from != NULL ? from->length : kept->position;
  if (position > most) {
    return fail(VERNAL_INVALID_ARGUMENT, "scalar_c: fork at %llu of %llu tokens",
                (unsigned long long)position, (unsigned long long)most);
  }
  vernal_sequence_id id = 0;
  int32_t status = seq_create(pool, &id);
  if (status != VERNAL_OK) return status;
  struct sequence* sequence = find_sequence(pool, id);
  status = set_room(pool, sequence, position);
  if (status != VERNAL_OK) {
    sequence->is_live = 0;
    return status;
  }
  sequence->length = position;
  *out = id;
  return VERNAL_OK;
}

int32_t seq_restore(vernal_pool* pool, vernal_sequence_id id, vernal_checkpoint_id checkpoint) {
  struct sequence* sequence = find_sequence(pool, id);
  const struct checkpoint* kept = sequence != NULL ? find_checkpoint(pool, checkpoint) : NULL;
  if (kept == NULL) return VERNAL_NOT_FOUND;
  const int32_t status = set_room(pool, sequence, kept->position);
  if (status == VERNAL_OK) sequence->length = kept->position;
  return status;
}

/* ---- checkpoints -------------------------------------------------------------------------------
 */

int32_t checkpoint_create(vernal_pool* pool, vernal_sequence_id id, vernal_checkpoint_id* out) {
  *out = 0;
  const struct sequence* sequence = find_sequence(pool, id);
  if (sequence == NULL) return VERNAL_NOT_FOUND;
  for (uint64_t slot = 0; slot < pool->program->plan->max_checkpoints; ++slot) {
    struct checkpoint* checkpoint = &pool->checkpoints[slot];
    if (checkpoint->is_live) continue;
    checkpoint->is_live = 1;
    checkpoint->position = sequence->length;
    ++checkpoint->generation;
    *out = make_id(slot, checkpoint->generation);
    return VERNAL_OK;
  }
  return fail(VERNAL_RESOURCE_EXHAUSTED, "scalar_c: all %llu checkpoints are taken",
              (unsigned long long)pool->program->plan->max_checkpoints);
}

int32_t checkpoint_info(vernal_pool* pool, vernal_checkpoint_id id, vernal_checkpoint_info* out) {
  const struct checkpoint* checkpoint = find_checkpoint(pool, id);
  if (checkpoint == NULL) return VERNAL_NOT_FOUND;
  vernal_checkpoint_info info = {0};
  info.position = checkpoint->position;
  copy_out(&info, sizeof(info), out);
  return VERNAL_OK;
}

int32_t checkpoint_release(vernal_pool* pool, vernal_checkpoint_id id) {
  struct checkpoint* checkpoint = find_checkpoint(pool, id);
  if (checkpoint == NULL) return VERNAL_NOT_FOUND;
  checkpoint->is_live = 0;
  return VERNAL_OK;
}

int32_t snapshot_export(vernal_pool* pool, vernal_sequence_id sequence,
                        vernal_checkpoint_id checkpoint, const vernal_sink* sink) {
  (void)pool, (void)sequence, (void)checkpoint, (void)sink;
  return fail(VERNAL_UNSUPPORTED, "scalar_c: without states there is nothing to export");
}

int32_t snapshot_import(vernal_pool* pool, const vernal_reader* reader, vernal_sequence_id* out) {
  (void)pool, (void)reader;
  *out = 0;
  return fail(VERNAL_UNSUPPORTED, "scalar_c: without states there is nothing to import");
}

/* A backend in C, as small as it can be: six operations on f32 weights, one function, no states.
 *
 *   module.c   which nodes it takes, and its own form of them
 *   program.c  plans, weights, memory
 *   pool.c     sequences and checkpoints: without states they are lengths and room
 *   step.c     the arithmetic
 *   backend.c  the table and the entry */
#ifndef FROZEN_SCALAR_H
#define FROZEN_SCALAR_H

#include "../plugin.h"
#include "vernal/abi/backend.h"

enum operation { kInput, kEmbed, kSelectRows, kRmsnorm, kLinear, kOutput };

/* A node in the backend's own form. Values are indices into vernal_plan.values. */
struct node {
  enum operation operation;
  uint32_t x;
  uint32_t rows;   /* kSelectRows: the value of the row indices */
  uint32_t weight; /* index in the module */
  uint32_t bias;   /* kLinear */
  uint32_t out;    /* value; kOutput: none */
  int has_weight;
  int has_bias;
  double number; /* kEmbed: scale; kRmsnorm: eps */
  char name[32]; /* kInput, kOutput */
};

/* What the value is at run time: [T or R, columns], f32 or i32. */
struct value {
  int64_t columns;
  int is_rows; /* first dimension R, else T */
};

struct vernal_backend {
  uint64_t reserved;
};

struct vernal_plan {
  vernal_module_ref module;
  struct node* nodes;
  struct value* values;
  uint64_t num_nodes, num_values, num_weights;
  uint64_t context_length, max_tokens, max_sequences, max_rows, kv_tokens, max_checkpoints;
  uint64_t weight_bytes, value_bytes;
};

/* `data` of a value holds float or int32_t, max_tokens or max_rows rows. */
struct vernal_program {
  const vernal_plan* plan;
  float** weights; /* by index in the module */
  void** values;
  vernal_step_stats stats;
};

struct sequence {
  uint32_t generation;
  int is_live;
  uint64_t length;
  uint64_t room; /* reserved up to this position */
};

struct checkpoint {
  uint32_t generation;
  int is_live;
  uint64_t position;
};

struct vernal_pool {
  vernal_program* program;
  struct sequence* sequences;
  struct checkpoint* checkpoints;
  uint64_t num_slots; /* of sequences */
  uint64_t free_tokens;
  vernal_ticket ticket; /* of the step that was not released, or 0 */
  vernal_ticket last_ticket;
  uint64_t num_tokens, num_rows; /* of that step */
};

/* ---- module.c ----------------------------------------------------------------------------------
 */

/* Reads node `index` of function 0 into *out; UNSUPPORTED with a text in `reason` if it is none of
 * the six, or not in a form that is taken. */
int32_t read_node(vernal_module_ref module, uint64_t index, struct node* out, char* reason,
                  size_t reason_size);
/* INCOMPATIBLE or UNSUPPORTED, with the error set, for a module as a whole. */
int32_t check_module(vernal_module_ref module, vernal_module_info* info,
                     vernal_function_view* function);
int32_t read_value(vernal_module_ref module, uint64_t index, struct value* out);

/* ---- program.c ---------------------------------------------------------------------------------
 */

int32_t make_plan(vernal_backend* backend, vernal_module_ref module,
                  const vernal_plan_options* options, vernal_plan** out);
int32_t plan_info(const vernal_plan* plan, vernal_plan_info* out);
int32_t plan_rows(const vernal_plan* plan, const vernal_memory_sink* sink);
void plan_destroy(vernal_plan* plan);
int32_t program_build(vernal_plan* plan, const vernal_weight_source* source,
                      const vernal_progress* progress, vernal_program** out);
void program_destroy(vernal_program* program);
int32_t memory_report(vernal_program* program, const vernal_memory_sink* sink);
int32_t stats(vernal_program* program, vernal_step_stats* out);

/* ---- pool.c ------------------------------------------------------------------------------------
 */

int32_t pool_create(vernal_program* program, vernal_pool** out);
void pool_destroy(vernal_pool* pool);
int32_t pool_info(const vernal_pool* pool, vernal_pool_info* out);
/* The live sequence of that id; NULL with NOT_FOUND set. */
struct sequence* find_sequence(vernal_pool* pool, vernal_sequence_id id);
int32_t seq_create(vernal_pool* pool, vernal_sequence_id* out);
int32_t seq_release(vernal_pool* pool, vernal_sequence_id sequence);
int32_t seq_reserve(vernal_pool* pool, vernal_sequence_id sequence, uint64_t num_tokens);
int32_t seq_length(vernal_pool* pool, vernal_sequence_id sequence, uint64_t function,
                   uint64_t* out_length);
int32_t seq_restorable(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length,
                       uint64_t* out_position);
int32_t seq_truncate(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length);
int32_t seq_fork(vernal_pool* pool, vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                 uint64_t position, vernal_sequence_id* out);
int32_t seq_restore(vernal_pool* pool, vernal_sequence_id sequence,
                    vernal_checkpoint_id checkpoint);
int32_t checkpoint_create(vernal_pool* pool, vernal_sequence_id sequence,
                          vernal_checkpoint_id* out);
int32_t checkpoint_info(vernal_pool* pool, vernal_checkpoint_id checkpoint,
                        vernal_checkpoint_info* out);
int32_t checkpoint_release(vernal_pool* pool, vernal_checkpoint_id checkpoint);
int32_t snapshot_export(vernal_pool* pool, vernal_sequence_id sequence,
                        vernal_checkpoint_id checkpoint, const vernal_sink* sink);
int32_t snapshot_import(vernal_pool* pool, const vernal_reader* reader, vernal_sequence_id* out);

/* ---- step.c ------------------------------------------------------------------------------------
 */

int32_t step_submit(vernal_pool* pool, const vernal_step_batch* batch, vernal_ticket* out);
int32_t step_wait(vernal_pool* pool, vernal_ticket ticket, uint64_t timeout_ms);
int32_t step_poll(vernal_pool* pool, vernal_ticket ticket, uint32_t* out_done);
int32_t step_output(vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                    vernal_step_output* out);
int32_t step_release(vernal_pool* pool, vernal_ticket ticket);

#endif /* FROZEN_SCALAR_H */

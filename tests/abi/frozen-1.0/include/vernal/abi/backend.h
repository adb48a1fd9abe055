/* A backend compiles a module into a program and executes steps. It owns the layout of weights,
 * fusion, memory, KV cache and recurrent state, and never sees files, text or clients.
 *
 *   open -> plan -> program_build -> pool_create -> seq_* , step_* ... -> pool_destroy -> ...
 *
 * The plan is binding: program_build and pool_create take no option again and allocate exactly the
 * plan's rows or fail. After pool_create nothing more is allocated on a device. */
#ifndef VERNAL_ABI_BACKEND_H
#define VERNAL_ABI_BACKEND_H

#include "vernal/abi/config.h"
#include "vernal/abi/module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vernal_backend vernal_backend; /* one configured instance: [backends.NAME] */
typedef struct vernal_plan vernal_plan;
typedef struct vernal_program vernal_program;
typedef struct vernal_pool vernal_pool; /* the sequences and states of one program */

/* Ids carry a generation: a stale one is answered with NOT_FOUND. 0 is never a valid id. */
typedef uint64_t vernal_sequence_id;
typedef uint64_t vernal_checkpoint_id;
typedef uint64_t vernal_ticket;

/* ---- devices, operations, formats --------------------------------------------------------------
 */

typedef struct vernal_device_info {
  uint64_t struct_size;
  vernal_str name;        /* "cpu", "cuda:0" */
  vernal_str description; /* "AMD Ryzen 9 5950X" */
  uint64_t total_bytes;
  uint64_t free_bytes;
  uint64_t num_workers; /* threads or multiprocessors */
} vernal_device_info;

typedef struct vernal_device_sink {
  int32_t (*add)(void* user, const vernal_device_info* device);
  void* user;
} vernal_device_sink;

typedef struct vernal_op_support {
  uint64_t struct_size;
  double cost_hint;   /* relative; 0 = unknown */
  uint32_t supported; /* 0 or 1; the reason goes to the sink */
  uint32_t reserved0;
} vernal_op_support;

#define VERNAL_FORMAT_NATIVE 1u    /* read as stored */
#define VERNAL_FORMAT_CONVERTED 2u /* converted at load; the note says into what */
#define VERNAL_FORMAT_REFUSED 3u

typedef struct vernal_format_row {
  uint64_t struct_size;
  vernal_str format; /* "ggml.q4_k/1" */
  vernal_str note;
  uint32_t support;
  uint32_t reserved0;
} vernal_format_row;

typedef struct vernal_format_sink {
  int32_t (*add)(void* user, const vernal_format_row* row);
  void* user;
} vernal_format_sink;

/* ---- plan --------------------------------------------------------------------------------------
 */

typedef struct vernal_plan_options {
  uint64_t struct_size;
  uint64_t context_length; /* most positions of one sequence */
  uint64_t max_tokens_per_step;
  uint64_t max_sequences; /* in one step; also the most live sequences beside those held by forks */
  uint64_t max_rows;      /* logits rows of one step */
  uint64_t typical_decode_sequences;
  uint64_t kv_tokens;      /* capacity of the KV pool in positions */
  uint64_t rollback_depth; /* recent tokens that recurrent layers must be able to undo */
  uint64_t max_checkpoints;
  uint64_t memory_limit_bytes; /* 0: what the device reports free */
  vernal_str kv_keys_format;   /* "f16", "q8_0", ...; empty: "f16" */
  vernal_str kv_values_format;
  vernal_str recurrent_format;    /* empty: "f32" */
  const vernal_str* host_weights; /* weights that stay in host memory */
  uint64_t num_host_weights;
  uint32_t kv_rotate; /* 0 or 1: Hadamard rotation of quantised keys and values */
  uint32_t reserved0;
} vernal_plan_options;

/* Categories of memory rows. */
#define VERNAL_MEMORY_WEIGHTS 1u
#define VERNAL_MEMORY_WEIGHTS_EXTRA 2u /* copies and repacked forms */
#define VERNAL_MEMORY_KV 3u
#define VERNAL_MEMORY_RECURRENT 4u
#define VERNAL_MEMORY_CHECKPOINTS 5u
#define VERNAL_MEMORY_WORKSPACE 6u
#define VERNAL_MEMORY_GRAPHS 7u
#define VERNAL_MEMORY_PINNED_HOST 8u
#define VERNAL_MEMORY_OTHER 9u
#define VERNAL_MEMORY_MAPPED_FILE 10u /* pages of the model file used in place */

typedef struct vernal_memory_row {
  uint64_t struct_size;
  vernal_str object; /* "weights", "kv blk.0..27", "activations" */
  vernal_str device; /* "cpu", "cuda:0" */
  uint64_t bytes;
  uint64_t peak_bytes;
  uint32_t category;
  uint32_t reserved0;
} vernal_memory_row;

typedef struct vernal_memory_sink {
  int32_t (*add)(void* user, const vernal_memory_row* row);
  void* user;
} vernal_memory_sink;

typedef struct vernal_plan_info {
  uint64_t struct_size;
  uint64_t page_tokens;           /* positions in a KV page; 0 without KV */
  uint64_t bytes_per_kv_token;    /* all layers, K and V, with scales */
  uint64_t bytes_per_sequence;    /* recurrent and conv state */
  uint64_t bytes_per_checkpoint;  /* host memory */
  uint64_t weight_bytes_per_step; /* read by one decode step: for bandwidth figures */
  uint32_t activation_element;    /* what ACT became: 0 f32, 1 f16, 2 bf16 */
  uint32_t reserved0;
} vernal_plan_info;

/* ---- program -----------------------------------------------------------------------------------
 */

/* Where weights come from; called during program_build on the calling thread. */
typedef struct vernal_weight_source {
  uint64_t struct_size;
  void* user;
  /* Copies `size` stored bytes of weight `index` of the module from `offset` to `destination`. */
  int32_t (*read)(void* user, uint64_t index, uint64_t offset, uint64_t size, void* destination);
  /* Maps the whole weight read-only. Valid until `unmap`, or until program_destroy returns. */
  int32_t (*map)(void* user, uint64_t index, const void** out_data, uint64_t* out_bytes);
  int32_t (*unmap)(void* user, uint64_t index);
} vernal_weight_source;

/* Told of the bytes loaded so far, at least every 100 ms; a status other than OK cancels the build,
 * which then returns it within a second. */
typedef struct vernal_progress {
  int32_t (*report)(void* user, uint64_t done_bytes, uint64_t total_bytes);
  void* user;
} vernal_progress;

/* ---- state -------------------------------------------------------------------------------------
 */

/* Flags of a pool. */
#define VERNAL_POOL_TRUNCATE_ANY 1u /* pure KV: any shorter length can be restored */
#define VERNAL_POOL_STEP_ATOMIC 2u  /* a failed step leaves its sequences as they were */
#define VERNAL_POOL_SNAPSHOT 4u     /* export and import work */
#define VERNAL_POOL_BATCH_INVARIANT \
  8u /* bits depend on nothing but the own sequence and its chunk borders */

typedef struct vernal_pool_info {
  uint64_t struct_size;
  uint64_t page_tokens;
  uint64_t bytes_per_token;
  uint64_t bytes_per_sequence;
  uint64_t bytes_per_checkpoint;
  uint64_t capacity_tokens;
  uint64_t free_tokens;
  uint64_t checkpoint_tokens; /* held by checkpoints alone */
  uint32_t flags;
  uint32_t reserved0;
} vernal_pool_info;

typedef struct vernal_checkpoint_info {
  uint64_t struct_size;
  uint64_t position;
  uint64_t host_bytes;
  uint64_t device_bytes; /* held by it alone */
} vernal_checkpoint_info;

/* Streams of snapshot_export and snapshot_import. */
typedef struct vernal_reader {
  /* Fills exactly `size` bytes or fails. */
  int32_t (*read)(void* user, void* destination, uint64_t size);
  void* user;
} vernal_reader;

/* ---- step --------------------------------------------------------------------------------------
 */

#define VERNAL_INPUT_HOST 1u /* `data`: host memory, consumed before step_submit returns */
#define VERNAL_INPUT_STEP 2u /* `output` of the step `ticket`, which stays where it is */

typedef struct vernal_step_input {
  uint64_t struct_size;
  vernal_str name; /* "ids", "positions", "hidden", ... */
  const void* data;
  uint64_t bytes;
  vernal_ticket ticket;
  vernal_str output;
  uint32_t source;
  uint32_t reserved0;
} vernal_step_input;

/* The tokens [start, start+count) of the batch are the next ones of `sequence`. */
typedef struct vernal_step_sequence {
  uint64_t struct_size;
  vernal_sequence_id sequence;
  uint64_t start;
  uint64_t count;
  uint64_t first_position; /* of the sequence; equals its length in this function */
} vernal_step_sequence;

typedef struct vernal_step_batch {
  uint64_t struct_size;
  uint64_t num_tokens;    /* T >= 1 */
  uint64_t num_sequences; /* S >= 1; ordered by start, without gaps */
  uint64_t num_rows;      /* R; rows ascend */
  const vernal_step_input* inputs;
  uint64_t num_inputs;
  uint64_t input_stride;
  const vernal_step_sequence* sequences;
  uint64_t sequence_stride;
  const int32_t* rows;       /* token indices whose outputs are wanted; also the input "rows" */
  const vernal_str* outputs; /* names of outputs wanted */
  uint64_t num_outputs;
  uint64_t function; /* index in the module */
} vernal_step_batch;

/* One output of a finished step: f32 [rows, columns], row-major; lives until step_release. */
typedef struct vernal_step_output {
  uint64_t struct_size;
  const float* data;
  uint64_t rows;
  uint64_t columns;
} vernal_step_output;

typedef struct vernal_step_stats {
  uint64_t struct_size;
  uint64_t steps;
  uint64_t tokens;
  uint64_t busy_ns;
} vernal_step_stats;

/* ---- the table ---------------------------------------------------------------------------------
 */

typedef struct vernal_backend_api {
  uint64_t struct_size;

  /* [control] Devices an instance may use. */
  int32_t (*enumerate_devices)(const vernal_device_sink* sink);
  /* [control, blocks] Creates an instance from its validated table. Private threads start here and
   * are joined in close. Instances do not share threads. */
  int32_t (*open)(vernal_config_view config, vernal_backend** out);
  /* [control, blocks] Every program of the instance is destroyed before. */
  void (*close)(vernal_backend* backend);

  /* [control] Whether a node can be compiled: operation, attributes, shapes, formats. */
  int32_t (*op_support)(vernal_backend* backend, vernal_module_ref module, uint64_t function,
                        uint64_t node, vernal_op_support* out, const vernal_sink* reason);
  /* [control] Storage formats of weights this backend accepts. */
  int32_t (*formats)(vernal_backend* backend, const vernal_format_sink* sink);

  /* [control] Prices and fixes everything the program will allocate. UNSUPPORTED with the text of
   * every unsupported node or option; RESOURCE_EXHAUSTED with needed and available bytes. The
   * module lives until plan_destroy. */
  int32_t (*plan)(vernal_backend* backend, vernal_module_ref module,
                  const vernal_plan_options* options, vernal_plan** out);
  int32_t (*plan_info)(const vernal_plan* plan, vernal_plan_info* out);
  int32_t (*plan_rows)(const vernal_plan* plan, const vernal_memory_sink* sink);
  /* [control] After every program built from it is destroyed. */
  void (*plan_destroy)(vernal_plan* plan);

  /* [control, blocks] Allocates and loads weights, pulling them from `source`. */
  int32_t (*program_build)(vernal_plan* plan, const vernal_weight_source* source,
                           const vernal_progress* progress, vernal_program** out);
  void (*program_destroy)(vernal_program* program);

  /* [engine] One pool per program. */
  int32_t (*pool_create)(vernal_program* program, vernal_pool** out);
  void (*pool_destroy)(vernal_pool* pool);
  int32_t (*pool_info)(const vernal_pool* pool, vernal_pool_info* out);

  /* [engine, nonblocking] Sequences. All calls are ordered after earlier steps. */
  int32_t (*seq_create)(vernal_pool* pool, vernal_sequence_id* out);
  int32_t (*seq_release)(vernal_pool* pool, vernal_sequence_id sequence);
  /* All-or-nothing room for `num_tokens` more, so that steps never run out; RESOURCE_EXHAUSTED. */
  int32_t (*seq_reserve)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t num_tokens);
  int32_t (*seq_length)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t function,
                        uint64_t* out_length);
  /* Greatest position <= new_length that seq_truncate would accept. */
  int32_t (*seq_restorable)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length,
                            uint64_t* out_position);
  /* NOT_RESTORABLE leaves the sequence unchanged. */
  int32_t (*seq_truncate)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length);
  /* Exactly one of `source` and `checkpoint` is not 0. `position` = the source's, or any smaller
   * one on a TRUNCATE_ANY pool. Both go on independently. */
  int32_t (*seq_fork)(vernal_pool* pool, vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                      uint64_t position, vernal_sequence_id* out);
  int32_t (*seq_restore)(vernal_pool* pool, vernal_sequence_id sequence,
                         vernal_checkpoint_id checkpoint);
  int32_t (*checkpoint_create)(vernal_pool* pool, vernal_sequence_id sequence,
                               vernal_checkpoint_id* out);
  int32_t (*checkpoint_info)(vernal_pool* pool, vernal_checkpoint_id checkpoint,
                             vernal_checkpoint_info* out);
  int32_t (*checkpoint_release)(vernal_pool* pool, vernal_checkpoint_id checkpoint);
  /* [engine, blocks] Opaque payload behind a header with magic, backend, program fingerprint,
   * formats, rotation, position, size and checksum. Exactly one id is not 0. */
  int32_t (*snapshot_export)(vernal_pool* pool, vernal_sequence_id sequence,
                             vernal_checkpoint_id checkpoint, const vernal_sink* sink);
  /* [engine, blocks] INCOMPATIBLE before anything is read but the header. */
  int32_t (*snapshot_import)(vernal_pool* pool, const vernal_reader* reader,
                             vernal_sequence_id* out);

  /* [engine] Runs one step. Inputs are consumed before it returns; the work may be done here or in
   * step_wait. One program executes one step at a time. On failure the batch's sequences become
   * invalid (only release and restore are allowed) unless the pool is STEP_ATOMIC. */
  int32_t (*step_submit)(vernal_pool* pool, const vernal_step_batch* batch, vernal_ticket* out);
  /* [engine, blocks] DEADLINE if not finished after timeout_ms; 0 waits without limit. Returns the
   * step's own status. */
  int32_t (*step_wait)(vernal_pool* pool, vernal_ticket ticket, uint64_t timeout_ms);
  /* [engine, nonblocking] *out_done 0 or 1. */
  int32_t (*step_poll)(vernal_pool* pool, vernal_ticket ticket, uint32_t* out_done);
  /* [engine, nonblocking] After step_wait returned OK. */
  int32_t (*step_output)(vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                         vernal_step_output* out);
  int32_t (*step_release)(vernal_pool* pool, vernal_ticket ticket);

  /* [control or engine] What is allocated now. */
  int32_t (*memory_report)(vernal_program* program, const vernal_memory_sink* sink);
  /* [any] */
  int32_t (*stats)(vernal_program* program, vernal_step_stats* out);

  int32_t (*get_extension)(vernal_str id, const void** out_table);
} vernal_backend_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_BACKEND_H */

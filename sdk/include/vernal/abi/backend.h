/* A backend compiles a module into a program and executes steps. It owns the layout of weights,
 * fusion, memory, KV cache and recurrent state. It never sees files, text or clients.
 *
 *   open -> plan -> program_build -> pool_create -> seq_*, step_* ...
 *        -> pool_destroy -> program_destroy -> plan_destroy -> close
 *
 * The plan is binding: program_build and pool_create take no options of their own. They allocate
 * exactly the plan's rows, or fail. After pool_create nothing more is allocated on a device.
 *
 * Threads. One instance may serve several models. Each model has its own program, pool and engine
 * thread; the control thread opens instances, plans, builds and destroys.
 *
 *   calls                                  may come at the same time as
 *   [control]                              [engine] calls of other programs; never each other
 *   [engine] of one program and its pool   [engine] calls of other programs, also of the same
 *                                          instance; [control] calls for other programs; never
 *                                          each other
 *   [any] (stats)                          everything but the destruction of its program
 *
 * So two engine threads may be inside one instance at once, and a model may be loaded into an
 * instance that is stepping another. The backend guards whatever programs share: devices, streams,
 * private threads, scratch memory, and every variable with static storage. An instance may let
 * programs take turns, in the order they came. */
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

/* Ids carry a generation, so that an id that was released is never valid again: it is answered with
 * NOT_FOUND. 0 is never a valid id. */
typedef uint64_t vernal_sequence_id;
typedef uint64_t vernal_checkpoint_id;
typedef uint64_t vernal_ticket;

/* ---- devices, operations, formats ------------------------------------------------------------ */

typedef struct vernal_device_info {
  uint64_t struct_size;
  vernal_str name;        /* "cpu", "cuda:0" */
  vernal_str description; /* "AMD Ryzen 9 5950X" */
  uint64_t total_bytes;
  uint64_t free_bytes;
  uint64_t num_workers; /* threads of a CPU, multiprocessors of a graphics card */
} vernal_device_info;

typedef struct vernal_device_sink {
  int32_t (*add)(void* user, const vernal_device_info* device);
  void* user;
} vernal_device_sink;

typedef struct vernal_op_support {
  uint64_t struct_size;
  double cost_hint;   /* relative; 0: unknown */
  uint32_t supported; /* 0 or 1; if 0, the sink receives the reason */
  uint32_t reserved0;
} vernal_op_support;

#define VERNAL_FORMAT_NATIVE 1u    /* read as stored */
#define VERNAL_FORMAT_CONVERTED 2u /* converted at load; the note says to which format */
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

/* ---- plan ------------------------------------------------------------------------------------ */

typedef struct vernal_plan_options {
  uint64_t struct_size;
  uint64_t context_length; /* most positions of one sequence */
  uint64_t max_tokens_per_step;
  uint64_t max_sequences; /* in one step; also the most live sequences, not counting forks */
  uint64_t max_rows;      /* rows of logits in one step */
  uint64_t typical_decode_sequences;
  uint64_t kv_tokens;      /* capacity of the KV pool in positions */
  uint64_t rollback_depth; /* newest tokens that a truncate of recurrent layers can take back */
  uint64_t max_checkpoints;
  uint64_t memory_limit_bytes;    /* 0: what the device reports as free */
  vernal_str kv_keys_format;      /* "f16", "q8_0", ...; empty: "f16" */
  vernal_str kv_values_format;    /* likewise */
  vernal_str recurrent_format;    /* empty: "f32" */
  const vernal_str* host_weights; /* names of weights that stay in host memory */
  uint64_t num_host_weights;
  uint32_t kv_rotate; /* 0 or 1: rotate quantised keys and values by a Hadamard matrix */
  uint32_t reserved0;
} vernal_plan_options;

/* Categories of memory rows. */
#define VERNAL_MEMORY_WEIGHTS 1u
#define VERNAL_MEMORY_WEIGHTS_EXTRA 2u /* copies of weights, and repacked weights */
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
  uint64_t bytes_per_kv_token;    /* keys and values of all layers, with their scales */
  uint64_t bytes_per_sequence;    /* recurrent and convolution states */
  uint64_t bytes_per_checkpoint;  /* host memory */
  uint64_t weight_bytes_per_step; /* bytes of weights that one decode step reads */
  uint32_t activation_element;    /* the choice for VERNAL_ELEMENT_ACT: 0 f32, 1 f16, 2 bf16 */
  uint32_t reserved0;
} vernal_plan_info;

/* ---- program --------------------------------------------------------------------------------- */

/* Gives the weights of a module. Used during program_build, on the thread that called it. */
typedef struct vernal_weight_source {
  uint64_t struct_size;
  void* user;
  /* Copies `size` stored bytes of the module's weight `index`, from byte `offset` on. */
  int32_t (*read)(void* user, uint64_t index, uint64_t offset, uint64_t size, void* destination);
  /* Maps a whole weight read-only, as stored. The bytes are valid until `unmap`; without an
   * `unmap`, until program_destroy returns. */
  int32_t (*map)(void* user, uint64_t index, const void** out_data, uint64_t* out_bytes);
  int32_t (*unmap)(void* user, uint64_t index);
  /* Since 1.2; null on older hosts. Says that `size` bytes of a mapped weight, from byte `offset` on,
   * have been read and copied: their pages may leave the memory of the process. They stay valid. */
  int32_t (*release)(void* user, uint64_t index, uint64_t offset, uint64_t size);
} vernal_weight_source;

/* Receives the number of bytes loaded so far, at least every 100 ms. If it answers another status
 * than OK, the build stops and returns that status within a second. */
typedef struct vernal_progress {
  int32_t (*report)(void* user, uint64_t done_bytes, uint64_t total_bytes);
  void* user;
} vernal_progress;

/* ---- state ----------------------------------------------------------------------------------- */

/* Flags of a pool. */
#define VERNAL_POOL_TRUNCATE_ANY 1u /* a sequence can be cut to any shorter length */
#define VERNAL_POOL_STEP_ATOMIC 2u  /* a failed step leaves its sequences as they were */
#define VERNAL_POOL_SNAPSHOT 4u     /* export and import work */
/* The bits of a row depend on the tokens of its sequence and on where the chunks of that sequence
 * began, and on nothing else. */
#define VERNAL_POOL_BATCH_INVARIANT 8u
/* Nor do they depend on where the chunks of that sequence began. Only beside BATCH_INVARIANT. Since
 * 1.2. */
#define VERNAL_POOL_CHUNK_INVARIANT 16u

typedef struct vernal_pool_info {
  uint64_t struct_size;
  uint64_t page_tokens;
  uint64_t bytes_per_token;
  uint64_t bytes_per_sequence;
  uint64_t bytes_per_checkpoint;
  uint64_t capacity_tokens;
  uint64_t free_tokens;
  uint64_t checkpoint_tokens; /* positions held by checkpoints only */
  uint32_t flags;
  uint32_t reserved0;
} vernal_pool_info;

typedef struct vernal_checkpoint_info {
  uint64_t struct_size;
  uint64_t position;
  uint64_t host_bytes;
  uint64_t device_bytes; /* device memory that only this checkpoint holds */
} vernal_checkpoint_info;

/* Where snapshot_import reads from. */
typedef struct vernal_reader {
  /* Fills exactly `size` bytes, or fails. */
  int32_t (*read)(void* user, void* destination, uint64_t size);
  void* user;
} vernal_reader;

/* ---- step ------------------------------------------------------------------------------------ */

#define VERNAL_INPUT_HOST 1u /* host memory at `data`, read before step_submit returns */
#define VERNAL_INPUT_STEP 2u /* the output `output` of the step `ticket`, which is not released */

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

/* The tokens [start, start + count) of the batch continue `sequence`. */
typedef struct vernal_step_sequence {
  uint64_t struct_size;
  vernal_sequence_id sequence;
  uint64_t start;
  uint64_t count;
  uint64_t first_position; /* of these tokens: the sequence's length in this function */
} vernal_step_sequence;

typedef struct vernal_step_batch {
  uint64_t struct_size;
  uint64_t num_tokens;    /* T >= 1 */
  uint64_t num_sequences; /* S >= 1; sequences are ordered by start and leave no gap */
  uint64_t num_rows;      /* R; rows are in ascending order */
  const vernal_step_input* inputs;
  uint64_t num_inputs;
  uint64_t input_stride;
  const vernal_step_sequence* sequences;
  uint64_t sequence_stride;
  const int32_t* rows;       /* indices of tokens whose outputs are wanted; also the input "rows" */
  const vernal_str* outputs; /* names of outputs wanted */
  uint64_t num_outputs;
  uint64_t function; /* index in the module */
} vernal_step_batch;

/* One output of a finished step: f32 [rows, columns], row-major, in host memory. The backend owns
 * `data`. It lives until step_release, and later steps do not change it. A pool can hold the
 * results of at least two steps at a time; a step_submit beyond what it can hold is
 * RESOURCE_EXHAUSTED. */
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

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct vernal_backend_api {
  uint64_t struct_size;

  /* [control] The devices that an instance may use. */
  int32_t (*enumerate_devices)(const vernal_device_sink* sink);
  /* [control, blocks] Creates an instance from its validated table. The threads of the instance
   * start here and are joined in close. Instances do not share threads. */
  int32_t (*open)(vernal_config_view config, vernal_backend** out);
  /* [control, blocks] Called after every plan and program of the instance was destroyed. */
  void (*close)(vernal_backend* backend);

  /* [control] Says whether a node can be compiled: operation, attributes, shapes and formats. */
  int32_t (*op_support)(vernal_backend* backend, vernal_module_ref module, uint64_t function,
                        uint64_t node, vernal_op_support* out, const vernal_sink* reason);
  /* [control] The storage formats of weights that this backend accepts. */
  int32_t (*formats)(vernal_backend* backend, const vernal_format_sink* sink);

  /* [control] Decides everything that the program will allocate, and its size. The module lives
   * until plan_destroy.
   * Errors   UNSUPPORTED: the text names every node and option that is not supported.
   *          RESOURCE_EXHAUSTED: the text says how many bytes are needed and available. */
  int32_t (*plan)(vernal_backend* backend, vernal_module_ref module,
                  const vernal_plan_options* options, vernal_plan** out);
  int32_t (*plan_info)(const vernal_plan* plan, vernal_plan_info* out);
  int32_t (*plan_rows)(const vernal_plan* plan, const vernal_memory_sink* sink);
  /* [control] Called after every program built from the plan was destroyed. */
  void (*plan_destroy)(vernal_plan* plan);

  /* [control, blocks] Allocates memory and pulls the weights from `source`, in any order. `source`
   * and `progress` are used during this call only; vernal_weight_source.map tells how long mapped
   * weights live.
   * Errors   The status that `source` or `progress` answered. */
  int32_t (*program_build)(vernal_plan* plan, const vernal_weight_source* source,
                           const vernal_progress* progress, vernal_program** out);
  void (*program_destroy)(vernal_program* program);

  /* [engine] A program has one pool. */
  int32_t (*pool_create)(vernal_program* program, vernal_pool** out);
  void (*pool_destroy)(vernal_pool* pool);
  int32_t (*pool_info)(const vernal_pool* pool, vernal_pool_info* out);

  /* [engine, nonblocking] Sequences; sdk/spec/state.md has every promise. Each call takes effect
   * after the steps that were submitted before it. */
  int32_t (*seq_create)(vernal_pool* pool, vernal_sequence_id* out);
  int32_t (*seq_release)(vernal_pool* pool, vernal_sequence_id sequence);
  /* Reserves room for `num_tokens` more tokens, or for none. A step uses reserved room only, so it
   * never runs out.
   * Errors   RESOURCE_EXHAUSTED: there is no room; what was reserved before stays. */
  int32_t (*seq_reserve)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t num_tokens);
  int32_t (*seq_length)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t function,
                        uint64_t* out_length);
  /* *out_position: the greatest position <= new_length that seq_truncate would accept now. */
  int32_t (*seq_restorable)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length,
                            uint64_t* out_position);
  /* Cuts the sequence to `new_length` tokens.
   * Errors   NOT_RESTORABLE: the state of that position is not kept; the sequence is unchanged.
   *          INVALID_ARGUMENT: the sequence is shorter. */
  int32_t (*seq_truncate)(vernal_pool* pool, vernal_sequence_id sequence, uint64_t new_length);
  /* Makes a sequence from a sequence or a checkpoint: exactly one of `source` and `checkpoint` is
   * not 0. `position` is that of the source; in a TRUNCATE_ANY pool it may be smaller. Afterwards
   * both go on independently.
   * Errors   NOT_RESTORABLE: the source cannot be forked at that position.
   *          RESOURCE_EXHAUSTED: there is no room for another sequence or its tokens. */
  int32_t (*seq_fork)(vernal_pool* pool, vernal_sequence_id source, vernal_checkpoint_id checkpoint,
                      uint64_t position, vernal_sequence_id* out);
  /* Makes the sequence what it was when the checkpoint was created. The checkpoint stays. */
  int32_t (*seq_restore)(vernal_pool* pool, vernal_sequence_id sequence,
                         vernal_checkpoint_id checkpoint);
  /* Errors   RESOURCE_EXHAUSTED: the plan's max_checkpoints are held, or memory is short. */
  int32_t (*checkpoint_create)(vernal_pool* pool, vernal_sequence_id sequence,
                               vernal_checkpoint_id* out);
  int32_t (*checkpoint_info)(vernal_pool* pool, vernal_checkpoint_id checkpoint,
                             vernal_checkpoint_info* out);
  int32_t (*checkpoint_release)(vernal_pool* pool, vernal_checkpoint_id checkpoint);
  /* [engine, blocks] Writes the state of a sequence or a checkpoint: exactly one id is not 0. First
   * comes the header of sdk/spec/state.md, section 5, then a payload that only this backend reads.
   * Errors   UNSUPPORTED: the pool lacks the flag SNAPSHOT. */
  int32_t (*snapshot_export)(vernal_pool* pool, vernal_sequence_id sequence,
                             vernal_checkpoint_id checkpoint, const vernal_sink* sink);
  /* [engine, blocks] Makes a sequence from a snapshot. On any failure nothing remains.
   * Errors   INCOMPATIBLE: made for something else; nothing was read but the header.
   *          INVALID_ARGUMENT: the checksum or a size is wrong. UNSUPPORTED: no flag SNAPSHOT. */
  int32_t (*snapshot_import)(vernal_pool* pool, const vernal_reader* reader,
                             vernal_sequence_id* out);

  /* [engine] Starts one step. Inputs are read before it returns. The work may be done here, in
   * step_wait, or in between on threads of the backend. A program executes one step at a time.
   * If a step fails in a pool that is not STEP_ATOMIC, the sequences of its batch become invalid:
   * only seq_release and seq_restore are allowed. */
  int32_t (*step_submit)(vernal_pool* pool, const vernal_step_batch* batch, vernal_ticket* out);
  /* [engine, blocks] Waits until the step is finished and returns its status. A timeout_ms of 0
   * waits without limit.
   * Errors   DEADLINE: the step is not finished after timeout_ms; it still runs. */
  int32_t (*step_wait)(vernal_pool* pool, vernal_ticket ticket, uint64_t timeout_ms);
  /* [engine, nonblocking] *out_done: 1 if the step is finished, else 0. */
  int32_t (*step_poll)(vernal_pool* pool, vernal_ticket ticket, uint32_t* out_done);
  /* [engine, nonblocking] An output of a step for which step_wait returned OK. */
  int32_t (*step_output)(vernal_pool* pool, vernal_ticket ticket, vernal_str name,
                         vernal_step_output* out);
  /* [engine] Ends the life of the ticket and of its outputs. */
  int32_t (*step_release)(vernal_pool* pool, vernal_ticket ticket);

  /* [control or engine] The rows that are allocated now. */
  int32_t (*memory_report)(vernal_program* program, const vernal_memory_sink* sink);
  /* [any] Totals since the program was built. */
  int32_t (*stats)(vernal_program* program, vernal_step_stats* out);

  int32_t (*get_extension)(vernal_str id, const void** out_table);
} vernal_backend_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_BACKEND_H */

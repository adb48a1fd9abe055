/* The module: what an architecture plugin builds once, at load, and a backend compiles.
 *
 * A module has functions ("main", "mtp", ...), weights and states. A function is a list of nodes in
 * static single assignment form: each value is made by one node and never changes. Operations are
 * named by ids ("vernal.linear/1"); sdk/spec/operations.md specifies their operands, attributes and
 * meaning. Dimensions are static, except for the four below. Values are row-major. Heads are
 * [T, H, d]: tokens, heads, size of a head. */
#ifndef VERNAL_ABI_MODULE_H
#define VERNAL_ABI_MODULE_H

#include "vernal/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Dimensions known only at a step. */
#define VERNAL_DIM_TOKENS (-1)    /* T: tokens in the step, of all sequences, concatenated */
#define VERNAL_DIM_SEQUENCES (-2) /* S: sequences in the step */
#define VERNAL_DIM_ROWS (-3)      /* R: rows whose logits are wanted */
#define VERNAL_DIM_EXTERNAL (-4)  /* X: rows of external embeddings */

/* Element kinds of values. */
#define VERNAL_ELEMENT_ACT 1u /* f32, f16 or bf16: the backend chooses one for the whole program */
#define VERNAL_ELEMENT_F32 2u /* at least f32 */
#define VERNAL_ELEMENT_I32 3u

#define VERNAL_MAX_RANK 4

/* What an operand refers to. */
#define VERNAL_OPERAND_NONE 0u /* an optional operand left out */
#define VERNAL_OPERAND_VALUE 1u
#define VERNAL_OPERAND_WEIGHT 2u
#define VERNAL_OPERAND_STATE 3u

typedef struct vernal_operand {
  uint32_t kind;
  uint32_t index; /* into the function's values, or the module's weights or states */
} vernal_operand;

/* Attribute types. */
#define VERNAL_ATTR_INT 1u
#define VERNAL_ATTR_FLOAT 2u
#define VERNAL_ATTR_STRING 3u
#define VERNAL_ATTR_INTS 4u
#define VERNAL_ATTR_FLOATS 5u

/* A named constant of a node. A backend refuses a node that carries an attribute it does not know,
 * unless its name begins with "hint:". */
typedef struct vernal_attr {
  uint64_t struct_size;
  vernal_str name;
  vernal_str text;         /* STRING */
  const int64_t* integers; /* INTS */
  const double* numbers;   /* FLOATS */
  uint64_t count;          /* INTS, FLOATS */
  int64_t integer;         /* INT; booleans are 0 or 1 */
  double number;           /* FLOAT */
  uint32_t type;
  uint32_t reserved0;
} vernal_attr;

/* Kinds of states. The backend owns their storage and keeps one copy for each sequence. */
#define VERNAL_STATE_KV 1u        /* keys [length, num_heads, key_dim], values [.., value_dim] */
#define VERNAL_STATE_RECURRENT 2u /* [num_heads, key_dim, value_dim] */
#define VERNAL_STATE_CONV 3u      /* [width - 1, channels]: the newest inputs of a convolution */

typedef struct vernal_state_desc {
  uint64_t struct_size;
  vernal_str name; /* unique, e.g. "blk.3.kv" */
  int64_t layer;
  int64_t num_heads; /* KV: key/value heads; RECURRENT: value heads; else 0 */
  int64_t key_dim;
  int64_t value_dim;
  int64_t channels; /* CONV */
  int64_t width;    /* CONV: kernel width */
  int64_t window;   /* KV: query i sees key j iff 0 <= i-j < window; 0 = no window */
  uint32_t kind;
  uint32_t function; /* index of the function that owns the state; set by the core */
} vernal_state_desc;

typedef struct vernal_value_view {
  uint64_t struct_size;
  int64_t dims[VERNAL_MAX_RANK]; /* dims[0..rank) */
  uint32_t rank;
  uint32_t element;
} vernal_value_view;

typedef struct vernal_weight_view {
  uint64_t struct_size;
  vernal_str name;               /* e.g. "blk.0.attn_q.weight" */
  vernal_str format;             /* storage format id: "f32", "ggml.q4_k/1" (sdk/spec/formats.md) */
  int64_t dims[VERNAL_MAX_RANK]; /* logical shape, row-major: [N, K] for a linear */
  uint64_t bytes;                /* stored size */
  uint64_t num_uses;             /* number of operands that refer to it, in all functions */
  uint32_t rank;
  uint32_t reserved0;
} vernal_weight_view;

typedef struct vernal_node_view {
  uint64_t struct_size;
  vernal_str op;   /* "vernal.linear/1" */
  vernal_str path; /* debug path, "blk.12.attn.q" */
  const vernal_operand* operands;
  uint64_t num_operands;
  const uint32_t* outputs; /* value indices */
  uint64_t num_outputs;
  const vernal_attr* attrs;
  uint64_t num_attrs;
  uint64_t attr_stride; /* bytes */
} vernal_node_view;

typedef struct vernal_function_view {
  uint64_t struct_size;
  vernal_str name;
  uint64_t num_nodes;
  uint64_t num_values;
} vernal_function_view;

typedef struct vernal_module_info {
  uint64_t struct_size;
  vernal_str architecture; /* name of the architecture plugin */
  uint64_t num_functions;
  uint64_t num_weights;
  uint64_t num_states;
  uint8_t fingerprint[32]; /* SHA-256 of the text dump */
} vernal_module_info;

/* Opaque. Lives until the plan made from it is destroyed. */
typedef struct vernal_module vernal_module;

/* Read access to a module. The callee fills a view up to the caller's struct_size.
 * Thread   [control] for all functions.
 * Life     Pointers in views live as long as the module.
 * Errors   NOT_FOUND: the index is out of range. */
typedef struct vernal_module_api {
  uint64_t struct_size;
  int32_t (*info)(const vernal_module* module, vernal_module_info* out);
  int32_t (*function)(const vernal_module* module, uint64_t index, vernal_function_view* out);
  int32_t (*node)(const vernal_module* module, uint64_t function, uint64_t index,
                  vernal_node_view* out);
  int32_t (*value)(const vernal_module* module, uint64_t function, uint64_t index,
                   vernal_value_view* out);
  int32_t (*weight)(const vernal_module* module, uint64_t index, vernal_weight_view* out);
  int32_t (*state)(const vernal_module* module, uint64_t index, vernal_state_desc* out);
  /* Writes the module as text. The same module gives the same text on every machine. */
  int32_t (*dump)(const vernal_module* module, const vernal_sink* sink);
} vernal_module_api;

typedef struct vernal_module_ref {
  const vernal_module_api* api;
  const vernal_module* module;
} vernal_module_ref;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_MODULE_H */

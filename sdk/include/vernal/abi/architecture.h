/* An architecture plugin is a compiler front end: it turns the metadata of a model file into a
 * module. It runs only while a model loads. It must be pure: it uses no files, threads, devices or
 * clocks, and the same metadata gives the same module. */
#ifndef VERNAL_ABI_ARCHITECTURE_H
#define VERNAL_ABI_ARCHITECTURE_H

#include "vernal/abi/module.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vernal_metadata vernal_metadata; /* opaque; valid for the call it is passed to */

/* Read access to a model file's metadata and tensor directory.
 * Thread   [control] for all functions.
 * Life     Text is borrowed until the call that received the metadata returns.
 * Errors   NOT_FOUND: the file has no such key or tensor.
 *          INVALID_ARGUMENT: the key has another type, or the index is beyond the array. */
typedef struct vernal_metadata_api {
  uint64_t struct_size;
  int32_t (*get_int)(const vernal_metadata* metadata, vernal_str key, int64_t* out_value);
  int32_t (*get_float)(const vernal_metadata* metadata, vernal_str key, double* out_value);
  int32_t (*get_bool)(const vernal_metadata* metadata, vernal_str key, uint32_t* out_value);
  int32_t (*get_string)(const vernal_metadata* metadata, vernal_str key, vernal_str* out_value);
  int32_t (*array_size)(const vernal_metadata* metadata, vernal_str key, uint64_t* out_count);
  int32_t (*array_int)(const vernal_metadata* metadata, vernal_str key, uint64_t index,
                       int64_t* out_value);
  int32_t (*array_float)(const vernal_metadata* metadata, vernal_str key, uint64_t index,
                         double* out_value);
  /* Shape and format of a stored tensor (num_uses is 0). */
  int32_t (*tensor)(const vernal_metadata* metadata, vernal_str name, vernal_weight_view* out);
} vernal_metadata_api;

typedef struct vernal_metadata_ref {
  const vernal_metadata_api* api;
  const vernal_metadata* metadata;
} vernal_metadata_ref;

typedef struct vernal_builder vernal_builder; /* opaque; valid for the build call */

/* Builds a module. The core checks the operands, shapes and attributes of each call. It notes every
 * problem with the path of the layer and goes on where it can, so that all problems are reported
 * together when the build ends.
 * Thread   [control] for all functions.
 * Life     Arguments are copied. */
typedef struct vernal_builder_api {
  uint64_t struct_size;
  int32_t (*begin_function)(vernal_builder* builder, vernal_str name);
  int32_t (*end_function)(vernal_builder* builder);
  /* Adds a part, such as "blk.3", to the debug path of the nodes added until the matching pop. */
  int32_t (*push_scope)(vernal_builder* builder, vernal_str name);
  int32_t (*pop_scope)(vernal_builder* builder);
  /* Declares a weight by its name in the file and its logical shape (row-major, dims[0] slowest).
   * A weight that is declared again is the same operand. */
  int32_t (*weight)(vernal_builder* builder, vernal_str name, const int64_t* dims, uint32_t rank,
                    vernal_operand* out);
  /* Declares a state of the current function; `desc->function` is ignored. */
  int32_t (*state)(vernal_builder* builder, const vernal_state_desc* desc, vernal_operand* out);
  /* Adds a node. outputs[0..num_outputs) receive its values. `name` ends its debug path. */
  int32_t (*add_op)(vernal_builder* builder, vernal_str op, vernal_str name,
                    const vernal_operand* operands, uint64_t num_operands, const vernal_attr* attrs,
                    uint64_t num_attrs, uint64_t attr_stride, vernal_operand* outputs,
                    uint64_t num_outputs);
  /* Shape and element kind of a value of the current function.
   * Errors   INVALID_ARGUMENT: no such value, or an earlier problem left its shape unknown. */
  int32_t (*value)(vernal_builder* builder, vernal_operand operand, vernal_value_view* out);
  /* Gives the core's services a hint: "stop_token", "default.temperature", ...
   * (docs/plugin-guide.md). */
  int32_t (*hint)(vernal_builder* builder, vernal_str key, vernal_str value);
} vernal_builder_api;

typedef struct vernal_builder_ref {
  const vernal_builder_api* api;
  vernal_builder* builder;
} vernal_builder_ref;

typedef struct vernal_build_options {
  uint64_t struct_size;
  uint64_t context_length;     /* positions; the deployment's, may exceed the file's */
  const vernal_str* functions; /* functions wanted in addition to "main" */
  uint64_t num_functions;
  int64_t first_layer; /* inclusive; above 0 if this is a later segment of the model */
  int64_t last_layer;  /* inclusive; -1: the model's last layer */
  /* Since 1.2: outputs of "main" that are wanted beside its own, such as "hidden". One that is not
   * built is missed by whoever asked. */
  const vernal_str* outputs;
  uint64_t num_outputs;
} vernal_build_options;

typedef struct vernal_architecture_api {
  uint64_t struct_size;

  /* [control] Says whether this plugin builds that file: *out_score is 0 (no) to 100. The sink
   * receives the reason. */
  int32_t (*probe)(vernal_metadata_ref metadata, uint32_t* out_score, const vernal_sink* reason);

  /* [control] Writes the hyperparameters as lines "name = value", for `vernal inspect`. */
  int32_t (*describe)(vernal_metadata_ref metadata, const vernal_sink* sink);

  /* [control, blocks] Builds the module. If it fails, the core drops what was built. */
  int32_t (*build)(vernal_metadata_ref metadata, const vernal_build_options* options,
                   vernal_builder_ref builder);

  int32_t (*get_extension)(vernal_str id, const void** out_table);
} vernal_architecture_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_ARCHITECTURE_H */

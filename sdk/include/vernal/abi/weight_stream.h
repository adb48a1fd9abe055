/* Two extensions of backends, which get_extension of vernal_backend_api gives. Together they let a
 * device compute the large products of a program that another backend runs in host memory:
 *
 *   vernal.ext.weight_stream/1       a device multiplies with weights that stay in the model file,
 *                                    and reads them anew for each product
 *   vernal.ext.weight_stream_user/1  a backend gives the products of its programs to such a device
 *
 *   plan -> open -> use_stream -> (multiply ...) -> close -> plan_destroy
 *
 * The host opens the stream, hands it to the program, and closes it after the program is destroyed.
 * Sequences and states stay with the program. Results are within the tolerance of vernal.linear/1;
 * their bits may differ from those that the program computes itself. */
#ifndef VERNAL_ABI_WEIGHT_STREAM_H
#define VERNAL_ABI_WEIGHT_STREAM_H

#include "vernal/abi/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_EXT_WEIGHT_STREAM "vernal.ext.weight_stream/1"
#define VERNAL_EXT_WEIGHT_STREAM_USER "vernal.ext.weight_stream_user/1"

typedef struct vernal_weight_stream_plan vernal_weight_stream_plan;
typedef struct vernal_weight_stream vernal_weight_stream;

/* Totals since the stream was opened. */
typedef struct vernal_weight_stream_stats {
  uint64_t struct_size;
  uint64_t products;
  uint64_t weight_bytes; /* stored bytes of the weights of these products */
} vernal_weight_stream_stats;

/* ---- vernal.ext.weight_stream/1 -------------------------------------------------------------- */

typedef struct vernal_weight_stream_api {
  uint64_t struct_size;

  /* [control] Decides which weights of a module the stream covers, and everything that it will
   * allocate. The module lives until plan_destroy. Works on a machine without the device.
   *   most_rows   of x in one product, at least 1 */
  int32_t (*plan)(vernal_backend* backend, vernal_module_ref module, uint64_t most_rows,
                  vernal_weight_stream_plan** out);
  /* [control] *out_covers: 1 if the stream can multiply with the module's weight `index`, else 0:
   * no vernal.linear/1 of the function "main" multiplies with it, or it would have to be converted
   * on the host first. */
  int32_t (*covers)(const vernal_weight_stream_plan* plan, uint64_t index, uint32_t* out_covers);
  /* [control] The memory that the stream allocates. Pages of the model file are not among it: the
   * host knows the sizes of the weights. No row: no weight is covered. */
  int32_t (*plan_rows)(const vernal_weight_stream_plan* plan, const vernal_memory_sink* sink);
  /* [control] Called after the stream was closed. */
  void (*plan_destroy)(vernal_weight_stream_plan* plan);

  /* [control, blocks] Allocates exactly the plan's rows and maps the weights that are covered; later
   * nothing more is allocated. A plan is opened once.
   *   source   used until close returns, on the thread of `open` and of `close`; mapped weights are
   *            read until then on the thread of `multiply`
   * Errors   UNAVAILABLE: the device cannot be used; the status that `source` answered */
  int32_t (*open)(vernal_weight_stream_plan* plan, const vernal_weight_source* source,
                  vernal_weight_stream** out);
  /* [control, blocks] Called after every program that uses the stream was destroyed. */
  void (*close)(vernal_weight_stream* stream);

  /* [engine, blocks] y = x W^T for the module's weight `index`, W [N, K]. One call at a time. It may
   * come at the same time as any call for other programs and streams of the backend. Fastest if
   * weights come in the order of their nodes: the next ones are read ahead.
   *   x        f32 [num_rows, K], row-major, host memory; 1 <= num_rows <= most_rows
   *   y        f32 [num_rows, N], row-major, host memory; complete when the call returns
   * Errors   INVALID_ARGUMENT: the weight is not covered, or there are too many rows
   *          DEVICE_LOST and others: y has any content, and the caller computes it itself */
  int32_t (*multiply)(vernal_weight_stream* stream, uint64_t index, const float* x,
                      uint64_t num_rows, float* y);

  /* [control or engine] The rows that are allocated now. */
  int32_t (*memory_report)(const vernal_weight_stream* stream, const vernal_memory_sink* sink);
  /* [any] */
  int32_t (*stats)(const vernal_weight_stream* stream, vernal_weight_stream_stats* out);
} vernal_weight_stream_api;

/* ---- vernal.ext.weight_stream_user/1 --------------------------------------------------------- */

/* A stream of the program's own module, and when to use it. */
typedef struct vernal_weight_stream_use {
  uint64_t struct_size;
  const vernal_weight_stream_api* api; /* static storage */
  vernal_weight_stream* stream;        /* outlives the program */
  const uint64_t* weights;             /* indices of those that are covered; read during the call */
  uint64_t num_weights;
  uint64_t least_rows; /* of x, for a product to be given away: at least 1 */
  uint64_t most_rows;  /* that the stream was planned for */
} vernal_weight_stream_use;

typedef struct vernal_weight_stream_user_api {
  uint64_t struct_size;

  /* [control] *out_is_in_place: 1 if programs of the plan read the module's weight `index` where the
   * model file is mapped, so that its bytes are among the plan's rows of category MAPPED_FILE; else
   * 0. */
  int32_t (*reads_in_place)(const vernal_plan* plan, uint64_t index, uint32_t* out_is_in_place);

  /* [control, after program_build and before pool_create] From now on, products of vernal.linear/1
   * with least_rows to most_rows rows of x are computed by the stream, if it covers the weight. The
   * pool then says neither BATCH_INVARIANT nor CHUNK_INVARIANT: who computes a row depends on how
   * many others are in the step. Where the stream fails, the program computes the product itself,
   * logs one warning, and does not use the stream any more. */
  int32_t (*use_stream)(vernal_program* program, const vernal_weight_stream_use* use);
} vernal_weight_stream_user_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_WEIGHT_STREAM_H */

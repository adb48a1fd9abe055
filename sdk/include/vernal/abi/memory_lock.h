/* An extension of backends, which get_extension of vernal_backend_api gives: locking of the host
 * memory that a program reads in each step, so that it is never swapped out. A backend without host
 * memory of its own needs none. */
#ifndef VERNAL_ABI_MEMORY_LOCK_H
#define VERNAL_ABI_MEMORY_LOCK_H

#include "vernal/abi/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_EXT_MEMORY_LOCK "vernal.ext.memory_lock/1"

typedef struct vernal_memory_lock_api {
  uint64_t struct_size;

  /* [control] Bytes of host memory that lock() would lock: weights and their copies, KV, recurrent
   * states, workspace and results, as far as the backend owns them. Not: checkpoints, and pages of
   * the model file that are used in place, which the host locks itself. */
  int32_t (*lockable_bytes)(const vernal_plan* plan, uint64_t* out_bytes);

  /* [control] Locks that memory of every program that is built from the plan from now on, as it is
   * allocated. Where the system refuses: if `is_required` is 1, program_build and pool_create fail
   * with RESOURCE_EXHAUSTED; if it is 0, they log a warning and go on without. */
  int32_t (*lock)(vernal_plan* plan, uint32_t is_required);
} vernal_memory_lock_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_MEMORY_LOCK_H */

/* An extension of backends, which get_extension of vernal_backend_api gives: what an instance
 * computes with, and where the time of steps goes. For people who measure; serving needs none of it. */
#ifndef VERNAL_ABI_PROFILE_H
#define VERNAL_ABI_PROFILE_H

#include "vernal/abi/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_EXT_PROFILE "vernal.ext.profile/1"

/* The time of all operations of one kind. */
typedef struct vernal_operation_time {
  uint64_t struct_size;
  vernal_str operation; /* "vernal.linear/1"; what an operation took in is counted with it */
  uint64_t calls;
  uint64_t busy_ns; /* by the clock, from its begin to the begin of the next one */
} vernal_operation_time;

typedef struct vernal_operation_time_sink {
  int32_t (*add)(void* user, const vernal_operation_time* row);
  void* user;
} vernal_operation_time_sink;

typedef struct vernal_profile_api {
  uint64_t struct_size;

  /* [control] Writes one line about an instance as it is configured: instruction set, threads or
   * device. */
  int32_t (*describe)(const vernal_backend* backend, const vernal_sink* out);

  /* [engine, between steps] Sets all times to zero. From now on steps are timed (1), or not (0),
   * which is how a program begins. Timing costs a little. */
  int32_t (*set_timing)(vernal_program* program, uint32_t is_on);

  /* [engine, between steps] The times since set_timing, each operation once, in any order. */
  int32_t (*operation_times)(vernal_program* program, const vernal_operation_time_sink* sink);
} vernal_profile_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_PROFILE_H */

/* Status codes, strings and sinks: the vocabulary of every call across the plugin interface.
 *
 * Every function of the interface returns an int32_t status. Only functions that destroy an object
 * return nothing. The text of an error goes to the host by `set_error` (host.h), which copies it.
 * Nobody frees memory of the other side. */
#ifndef VERNAL_ABI_STATUS_H
#define VERNAL_ABI_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Values are never reused. A caller treats an unknown negative value as VERNAL_INTERNAL. */
#define VERNAL_OK 0
#define VERNAL_CANCELLED (-1)          /* the caller asked to stop */
#define VERNAL_INVALID_ARGUMENT (-2)   /* an argument breaks the documented rule */
#define VERNAL_NOT_FOUND (-3)          /* no such key or name, or an id that was released */
#define VERNAL_UNIMPLEMENTED (-4)      /* the other side is older and has no such function */
#define VERNAL_UNSUPPORTED (-5)        /* this plugin cannot do it; the text says why */
#define VERNAL_RESOURCE_EXHAUSTED (-6) /* memory, pages or slots */
#define VERNAL_QUEUE_FULL (-7)         /* too many requests wait; try again later */
#define VERNAL_CONTEXT_OVERFLOW (-8)   /* prompt longer than the context length */
#define VERNAL_CLIENT_STALLED (-9)     /* the client did not read for too long */
#define VERNAL_NOT_RESTORABLE (-10)    /* no state of that position is kept; nothing was changed */
#define VERNAL_INCOMPATIBLE (-11)      /* snapshot or plugin made for something else */
#define VERNAL_UNAVAILABLE (-12)       /* still loading, shutting down, or failed */
#define VERNAL_DEADLINE (-13)          /* a time limit passed */
#define VERNAL_DEVICE_LOST (-14)       /* the program is gone and must be built again */
#define VERNAL_INTERNAL (-15)          /* a defect of the callee */

/* UTF-8 text without a terminating NUL. It is borrowed for the call unless stated otherwise. */
typedef struct vernal_str {
  const char* data;
  uint64_t size; /* bytes */
} vernal_str;

/* Receives a long result in pieces. `write` is called zero or more times on the calling thread,
 * before the call that received the sink returns. If it answers another status than VERNAL_OK, the
 * producer stops and returns that status. */
typedef struct vernal_sink {
  int32_t (*write)(void* user, const void* data, uint64_t size);
  void* user;
} vernal_sink;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_STATUS_H */

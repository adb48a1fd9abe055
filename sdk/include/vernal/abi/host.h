/* What the host (the core) offers every plugin. */
#ifndef VERNAL_ABI_HOST_H
#define VERNAL_ABI_HOST_H

#include "vernal/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Log levels. */
#define VERNAL_LOG_TRACE 0u
#define VERNAL_LOG_DEBUG 1u
#define VERNAL_LOG_INFO 2u
#define VERNAL_LOG_WARNING 3u
#define VERNAL_LOG_ERROR 4u
#define VERNAL_LOG_OFF 5u

/* Thread roles. The role that a function expects stands in brackets before its description.
 *   control    One thread: it loads, configures and shuts down.
 *   engine     One thread for each model: it makes all pool, sequence and step calls of the model.
 *   frontend   Threads that a frontend owns.
 *   any        Every thread.
 * A function marked `blocks` may wait; one marked `nonblocking` returns at once.
 * Functions of different roles run at the same time, and so do the engine threads of different
 * models, also inside one backend instance: backend.h has the rules. Functions of the host may be
 * called at any time by every thread that their role names. */
#define VERNAL_ROLE_UNKNOWN 0u
#define VERNAL_ROLE_CONTROL 1u
#define VERNAL_ROLE_ENGINE 2u
#define VERNAL_ROLE_FRONTEND 3u

typedef struct vernal_host vernal_host; /* opaque; lives until the process ends */

typedef struct vernal_host_api {
  uint64_t struct_size;

  /* [any, nonblocking] Writes one line to the log. `level` is VERNAL_LOG_*; `component` is the
   * plugin's name. Strings are copied. Nothing else in a plugin may write to the terminal.
   *
   * A text that is a JSON object whose first member is "event", a string, written `{"event":"NAME"`
   * without spaces, is an event: a host may write its members as fields. `file` is empty then.
   *
   *   text                            {"event":"request","id":"r1","status":200}
   *   as a line for people            ... info http: request id=r1 status=200
   *   as a line for programs          {"time":...,"level":"info","component":"http",
   *                                    "event":"request","id":"r1","status":200}
   *
   * Members called "time", "level" and "component" are dropped. A host that does not know events
   * writes the text as it is. */
  int32_t (*log)(vernal_host* host, uint32_t level, vernal_str component, vernal_str file,
                 uint32_t line, vernal_str text);

  /* [any, nonblocking] *out_level: the least level that is written. A plugin need not format lines
   * below it. */
  int32_t (*log_level)(vernal_host* host, uint32_t* out_level);

  /* [any, nonblocking] Stores the text that explains the status that the calling thread is about to
   * return. The text is copied. */
  int32_t (*set_error)(vernal_host* host, int32_t code, vernal_str text);

  /* [any, nonblocking] The text that set_error stored last on the calling thread. It is borrowed
   * until the next set_error on that thread. */
  int32_t (*last_error)(vernal_host* host, vernal_str* out_text);

  /* [any, nonblocking] VERNAL_ROLE_* of the calling thread. */
  int32_t (*thread_role)(vernal_host* host, uint32_t* out_role);

  /* [any, nonblocking] *out_ns: nanoseconds of a monotonic clock. */
  int32_t (*now_ns)(vernal_host* host, uint64_t* out_ns);

  /* [control] A service table by id, e.g. "vernal.svc.engine/1" (frontend.h). *out_object is the
   * first argument of its functions. The table lives until the process ends.
   * Errors   NOT_FOUND: the host has no such service. */
  int32_t (*get_service)(vernal_host* host, vernal_str id, const void** out_table,
                         void** out_object);

  /* [control] An extension table by id "vernal.ext.NAME/REV" or "com.vendor.NAME/REV". */
  int32_t (*get_extension)(vernal_host* host, vernal_str id, const void** out_table);

  /* [any] Says that the plugin is broken and must not be called again. The host logs the text as an
   * error. It never ends the process. */
  int32_t (*report_fatal)(vernal_host* host, vernal_str component, vernal_str text);
} vernal_host_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_HOST_H */

/* Entry of a plugin. A plugin is a shared object with an ELF note (".note.vernal", the manifest,
 * read before it is opened) and one exported function, vernal_plugin_entry_v1. */
#ifndef VERNAL_ABI_PLUGIN_H
#define VERNAL_ABI_PLUGIN_H

#include "vernal/abi/config.h"
#include "vernal/abi/host.h"
#include "vernal/abi/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_KIND_BACKEND 1u
#define VERNAL_KIND_ARCHITECTURE 2u
#define VERNAL_KIND_FRONTEND 3u

/* Owner and type of the manifest note; its descriptor is text, one key=value a line
 * (sdk/README.md). */
#define VERNAL_NOTE_OWNER "vernal"
#define VERNAL_NOTE_TYPE 1u

typedef struct vernal_plugin_api {
  uint64_t struct_size;

  /* [control] Called once, before any other function; devices may be touched. The plugin keeps
   * nothing if it fails. */
  int32_t (*init)(void);

  /* [control] Called once, after every object of the plugin is destroyed. The library stays mapped.
   */
  int32_t (*shutdown)(void);

  /* [any] The rows of the table that configures an instance of `kind`. Static storage. */
  int32_t (*config_schema)(uint32_t kind, const vernal_config_row** out_rows, uint64_t* out_count,
                           uint64_t* out_stride);

  /* [any] The table of a kind: vernal_backend_api, vernal_architecture_api or vernal_frontend_api.
   * NOT_FOUND if this plugin is not of that kind. Static storage. */
  int32_t (*get_kind)(uint32_t kind, const void** out_table);

  /* [any] An extension by id; NOT_FOUND if there is none. */
  int32_t (*get_extension)(vernal_str id, const void** out_table);
} vernal_plugin_api;

typedef struct vernal_entry_args {
  uint64_t struct_size;
  vernal_host* host;               /* in: first argument of every host function */
  const vernal_host_api* host_api; /* in: lives until the process ends */
  vernal_str plugin_path;          /* in: canonical path of this library, borrowed */
  const vernal_plugin_api* plugin; /* out: static storage in the plugin */
  uint32_t host_minor;             /* in: minor of the interface the host speaks */
  uint32_t reserved0;
} vernal_entry_args;

/* [control] Fills args->plugin. Must be cheap: no device, no thread, no allocation that lasts. */
typedef int32_t (*vernal_plugin_entry_fn)(vernal_entry_args* args);

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_PLUGIN_H */

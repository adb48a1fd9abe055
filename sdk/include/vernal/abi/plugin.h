/* Entry of a plugin. A plugin is a shared object that has an ELF note and one exported function,
 * vernal_plugin_entry_v1. The note, ".note.vernal", is the manifest: the host reads it before it
 * opens the library. */
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

/* Owner and type of the manifest note. Its descriptor is text with one key=value on each line
 * (sdk/README.md). */
#define VERNAL_NOTE_OWNER "vernal"
#define VERNAL_NOTE_TYPE 1u

typedef struct vernal_plugin_api {
  uint64_t struct_size;

  /* [control] Called once, before any other function. It may touch devices. If it fails, the plugin
   * keeps nothing. */
  int32_t (*init)(void);

  /* [control] Called once, after every object of the plugin was destroyed. The library stays mapped
   * until the process ends. */
  int32_t (*shutdown)(void);

  /* [any] The keys of the table that configures an instance of `kind`. Static storage. */
  int32_t (*config_schema)(uint32_t kind, const vernal_config_row** out_rows, uint64_t* out_count,
                           uint64_t* out_stride);

  /* [any] The table of a kind: vernal_backend_api, vernal_architecture_api or vernal_frontend_api.
   * Static storage.
   * Errors   NOT_FOUND: this plugin is not of that kind. */
  int32_t (*get_kind)(uint32_t kind, const void** out_table);

  /* [any] An extension by id. Static storage.
   * Errors   NOT_FOUND: the plugin has no such extension. */
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

/* [control] Fills args->plugin. It must be cheap: no device, no thread, no memory that it keeps. */
typedef int32_t (*vernal_plugin_entry_fn)(vernal_entry_args* args);

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_PLUGIN_H */

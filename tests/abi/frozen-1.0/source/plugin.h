/* What the plugins of this folder share: the manifest, the host, error texts, and copies between
 * structs whose sizes may differ. Nothing but the C headers of the interface is used. */
#ifndef FROZEN_PLUGIN_H
#define FROZEN_PLUGIN_H

#include <stddef.h>

#include "vernal/abi/plugin.h"

/* ---- the manifest ------------------------------------------------------------------------------
 */

#define FROZEN_TEXT_OF(number) #number
#define FROZEN_TEXT(number) FROZEN_TEXT_OF(number)

#ifdef __clang__
#define FROZEN_RETAIN , retain
#else
#define FROZEN_RETAIN
#endif

/* The note of a plugin of one kind. `more` is further lines, each with its end. */
#define FROZEN_MANIFEST_TEXT(kind, name, more) \
  "manifest=1\n"                                                     \
  "abi_major=" FROZEN_TEXT(VERNAL_ABI_MAJOR) "\n"                    \
  "abi_minor_min=" FROZEN_TEXT(VERNAL_TARGET_MINOR) "\n"             \
  "abi_minor_built=" FROZEN_TEXT(VERNAL_ABI_MINOR) "\n"              \
  "kinds=" kind "\n"                                                 \
  "name=" name "\n"                                                  \
  "id=org.vernal.frozen." name "\n"                                  \
  "version=1.0.0\n"                                                  \
  "licence=Apache-2.0\n" more

#define FROZEN_DEFINE_MANIFEST(kind, name, more)                                              \
  struct manifest_note {                                                                      \
    uint32_t owner_bytes, text_bytes, type;                                                   \
    char owner[8];                                                                            \
    char text[(sizeof(FROZEN_MANIFEST_TEXT(kind, name, more)) + 3) / 4 * 4];                  \
  };                                                                                          \
  __attribute__((used, section(".note.vernal"),                                               \
                 aligned(4) FROZEN_RETAIN)) static const struct manifest_note kManifest = {   \
      sizeof(VERNAL_NOTE_OWNER), sizeof(kManifest.text), VERNAL_NOTE_TYPE, VERNAL_NOTE_OWNER, \
      FROZEN_MANIFEST_TEXT(kind, name, more)}

/* ---- the host ----------------------------------------------------------------------------------
 */

/* Keeps the host for the functions below. INCOMPATIBLE if its table is no sound one. */
int32_t take_host(const vernal_entry_args* args);

/* Stores the formatted text with `code` at the host and returns `code`. Long texts are cut. */
int32_t fail(int32_t code, const char* format, ...) __attribute__((format(printf, 2, 3)));

void log_error(const char* plugin, const char* text);
uint64_t now_ns(void);
/* A service of the host; its status and text if there is none. */
int32_t find_service(const char* id, const void** out_table, void** out_object);
/* The text stored last on this thread, or "" if there is none. */
const char* last_error(char* buffer, size_t size);

/* ---- texts and structs -------------------------------------------------------------------------
 */

vernal_str text_of(const char* text);
int is_text(vernal_str text, const char* expected);
/* For "%.*s". */
#define FROZEN_ARGUMENT(text) (int)(text).size, (text).data

/* Whether a table of the other side reaches as far as its member `last`. */
#define FROZEN_REACHES(table, type, last)              \
  ((table) != NULL && (table)->struct_size % 8 == 0 && \
   (table)->struct_size >= offsetof(type, last) + sizeof(((const type*)(table))->last))

/* Both begin with their struct_size. A result is written as far as its owner's size goes, which
 * stays; what an argument does not have is zero. */
void copy_out(const void* mine, uint64_t size, void* theirs);
void copy_in(const void* theirs, void* mine, uint64_t size);

/* ---- answers that all three give ---------------------------------------------------------------
 */

int32_t no_handle(const char* call);
int32_t nothing_to_do(void);
int32_t no_extension(vernal_str id, const void** out_table);

/* The plugin of one kind with its rows of configuration, and its entry. */
#define FROZEN_DEFINE_PLUGIN(kind_number, kind_table, rows, num_rows)                             \
  static int32_t config_schema(uint32_t kind, const vernal_config_row** out_rows,                 \
                               uint64_t* out_count, uint64_t* out_stride) {                       \
    *out_rows = rows;                                                                             \
    *out_count = kind == (kind_number) ? (num_rows) : 0;                                          \
    *out_stride = sizeof(vernal_config_row);                                                      \
    return VERNAL_OK;                                                                             \
  }                                                                                               \
  static int32_t get_kind(uint32_t kind, const void** out_table) {                                \
    *out_table = kind == (kind_number) ? &(kind_table) : NULL;                                    \
    return *out_table != NULL ? VERNAL_OK : VERNAL_NOT_FOUND;                                     \
  }                                                                                               \
  static const vernal_plugin_api kPlugin = {                                                      \
      .struct_size = sizeof(vernal_plugin_api),                                                   \
      .init = nothing_to_do,                                                                      \
      .shutdown = nothing_to_do,                                                                  \
      .config_schema = config_schema,                                                             \
      .get_kind = get_kind,                                                                       \
      .get_extension = no_extension,                                                              \
  };                                                                                              \
  __attribute__((visibility("default"))) int32_t vernal_plugin_entry_v1(vernal_entry_args* args); \
  int32_t vernal_plugin_entry_v1(vernal_entry_args* args) {                                       \
    const int32_t status = take_host(args);                                                       \
    if (status == VERNAL_OK) args->plugin = &kPlugin;                                             \
    return status;                                                                                \
  }                                                                                               \
  _Static_assert(1, "a semicolon follows")

#endif /* FROZEN_PLUGIN_H */

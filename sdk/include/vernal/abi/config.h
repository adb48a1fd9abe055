/* Configuration of a plugin: the schema it publishes, and the view of its table in the deployment
 * file. */
#ifndef VERNAL_ABI_CONFIG_H
#define VERNAL_ABI_CONFIG_H

#include "vernal/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Types of a configuration value. */
#define VERNAL_CONFIG_BOOL 1u
#define VERNAL_CONFIG_INT 2u
#define VERNAL_CONFIG_FLOAT 3u
#define VERNAL_CONFIG_STRING 4u
#define VERNAL_CONFIG_PATH 5u     /* relative to the deployment file; the view gives it absolute */
#define VERNAL_CONFIG_SIZE 6u     /* string with a unit, "4GiB"; the view gives bytes */
#define VERNAL_CONFIG_DURATION 7u /* string with a unit, "30s"; the view gives milliseconds */
#define VERNAL_CONFIG_ENUM 8u     /* string, one of `choices` */
#define VERNAL_CONFIG_STRING_LIST 9u
#define VERNAL_CONFIG_INT_LIST 10u
#define VERNAL_CONFIG_TABLE 11u /* has rows of its own, with paths "name.key" */

/* Flags of a row. */
#define VERNAL_CONFIG_REQUIRED 1u   /* no default: the deployment must say it */
#define VERNAL_CONFIG_SECRET 2u     /* never printed */
#define VERNAL_CONFIG_RELOADABLE 4u /* may change without a restart */
/* A string or a list of strings that name models of the deployment. The core checks the names. */
#define VERNAL_CONFIG_MODEL_NAMES 8u

/* One key that a plugin understands. A number without bounds has minimum > maximum. */
typedef struct vernal_config_row {
  uint64_t struct_size;
  vernal_str path;          /* key; nested tables are joined by "." */
  vernal_str default_value; /* as TOML text; empty: none */
  vernal_str choices;       /* for ENUM: values separated by '|' */
  vernal_str deprecated_by; /* key to use instead; empty: not deprecated */
  vernal_str help;          /* one sentence */
  double minimum;           /* INT, FLOAT, SIZE (bytes), DURATION (ms); inclusive */
  double maximum;
  uint32_t type;
  uint32_t flags;
  uint32_t since_minor; /* minor of the interface that brought the row; documentation only */
  uint32_t reserved0;
} vernal_config_row;

typedef struct vernal_config vernal_config; /* opaque; valid for the call it is passed to */

/* Read access to one validated table, with defaults filled in.
 * Thread   [control] for all functions.
 * Life     Text is borrowed and lives as long as the view.
 * Errors   NOT_FOUND: the key is absent and has no default, or the index is beyond the list.
 *          INVALID_ARGUMENT: the schema gives the key another type. */
typedef struct vernal_config_api {
  uint64_t struct_size;
  int32_t (*get_bool)(const vernal_config* config, vernal_str path, uint32_t* out_value);
  int32_t (*get_int)(const vernal_config* config, vernal_str path, int64_t* out_value);
  int32_t (*get_float)(const vernal_config* config, vernal_str path, double* out_value);
  /* For STRING, PATH and ENUM. */
  int32_t (*get_string)(const vernal_config* config, vernal_str path, vernal_str* out_value);
  int32_t (*get_size)(const vernal_config* config, vernal_str path, uint64_t* out_bytes);
  int32_t (*get_duration)(const vernal_config* config, vernal_str path, uint64_t* out_ms);
  int32_t (*list_size)(const vernal_config* config, vernal_str path, uint64_t* out_count);
  int32_t (*list_string)(const vernal_config* config, vernal_str path, uint64_t index,
                         vernal_str* out_value);
  int32_t (*list_int)(const vernal_config* config, vernal_str path, uint64_t index,
                      int64_t* out_value);
  /* Name of the table, e.g. "frontends.http". */
  int32_t (*name)(const vernal_config* config, vernal_str* out_name);
  /* Place of a key for messages: "configs/a.toml:12:3". If the key is absent, the table's place. */
  int32_t (*origin)(const vernal_config* config, vernal_str path, vernal_str* out_origin);
} vernal_config_api;

typedef struct vernal_config_view {
  const vernal_config_api* api;
  const vernal_config* config;
} vernal_config_view;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_CONFIG_H */

/* Version of the plugin interface. The product has a version of its own (docs/plugin-guide.md).
 *
 * A minor version only appends: functions at the end of a table, fields at the end of a struct, new
 * ids. A major version changes meanings and has its own entry symbol. A plugin loads if the host
 * speaks its major and if the least minor that it needs is not above the host's. Minors are never
 * compared for equality. */
#ifndef VERNAL_ABI_VERSION_H
#define VERNAL_ABI_VERSION_H

#define VERNAL_ABI_MAJOR 1
#define VERNAL_ABI_MINOR 2

/* The least minor of a host that this plugin runs on. A plugin may use additions of a later minor
 * and still run on the oldest host: a function that the host lacks answers VERNAL_UNIMPLEMENTED,
 * and a function that the host does not know is never called. A plugin that needs an addition says
 * here which minor brought it. Older hosts then refuse the plugin and name the minor. */
#ifndef VERNAL_TARGET_MINOR
#define VERNAL_TARGET_MINOR 0
#endif

/* The one exported symbol of a plugin for this major. */
#define VERNAL_ENTRY_SYMBOL "vernal_plugin_entry_v1"

#endif /* VERNAL_ABI_VERSION_H */

/* Version of the plugin interface. It is the interface's own, apart from the product's
 * (docs/plugin-guide.md).
 *
 * A minor only appends: functions at the end of a table, fields at the end of a struct, new ids. A
 * major changes meaning and has its own entry symbol. A plugin loads if the host knows its major
 * and the smallest minor it needs is not above the host's; nothing is ever compared for equality.
 */
#ifndef VERNAL_ABI_VERSION_H
#define VERNAL_ABI_VERSION_H

#define VERNAL_ABI_MAJOR 1
#define VERNAL_ABI_MINOR 0

/* The smallest host minor this plugin wants to run on: newer declarations are hidden from it. */
#ifndef VERNAL_TARGET_MINOR
#define VERNAL_TARGET_MINOR VERNAL_ABI_MINOR
#endif

/* The one exported symbol of a plugin for this major. */
#define VERNAL_ENTRY_SYMBOL "vernal_plugin_entry_v1"

#endif /* VERNAL_ABI_VERSION_H */

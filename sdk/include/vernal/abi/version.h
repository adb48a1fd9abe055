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
#define VERNAL_ABI_MINOR 1

/* The smallest host minor this plugin runs on. A plugin may use what a later minor brought and still
 * run on the oldest host: functions that this host lacks answer VERNAL_UNIMPLEMENTED, and functions
 * that it does not know are never called. A plugin that cannot do without says so here, and is
 * refused by name where it would not work. */
#ifndef VERNAL_TARGET_MINOR
#define VERNAL_TARGET_MINOR 0
#endif

/* The one exported symbol of a plugin for this major. */
#define VERNAL_ENTRY_SYMBOL "vernal_plugin_entry_v1"

#endif /* VERNAL_ABI_VERSION_H */

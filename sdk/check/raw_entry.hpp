// The entry of a plugin called by hand, with whatever host a test wants to be.
#pragma once

#include <cstdint>

#include "options.hpp"
#include "vernal/abi/plugin.h"

namespace vernal::check {

/// The plugin's entry function. Throws Finding if the linker refuses the file or there is none.
vernal_plugin_entry_fn open_entry(const Options& options);

/// A host that only keeps error texts, as plain functions; see fresh_host_api.
vernal_host* emulated_host() noexcept;
/// The functions of a host of interface 1.0.
vernal_host_api fresh_host_api() noexcept;

/// Calls the entry with `api` and `minor`; the status, and the plugin's table in `out`.
std::int32_t enter(vernal_plugin_entry_fn entry, const vernal_host_api* api, std::uint32_t minor,
                   const vernal_plugin_api** out);

/// The plugin's own table, as it stands in its memory, after an entry with a sound host.
const vernal_plugin_api* raw_plugin_table(const Options& options);

}  // namespace vernal::check

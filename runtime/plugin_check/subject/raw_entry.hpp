// The entry of a plugin called by hand, with whatever host a test wants to be.
#pragma once

#include <cstdint>

#include "plugin_check/options.hpp"
#include "vernal/abi/plugin.h"

namespace vernal::check {

/// The plugin's entry function. Throws Finding if the linker refuses the file or there is none.
vernal_plugin_entry_fn open_entry(const Options& options);

/// The functions of a host of interface 1.0, which keeps error texts and nothing more.
vernal_host_api fresh_host_api() noexcept;

/// The host that a test plays.
struct EmulatedHost {
  const vernal_host_api* api = nullptr;
  std::uint32_t minor = 0;
  vernal_host* handle = nullptr;  ///< what `api` is called with; null: that of fresh_host_api
};

/// Calls the entry, whose arguments are those of interface 1.0 with nothing behind them; the
/// status, and the plugin's table in `out`.
std::int32_t enter(vernal_plugin_entry_fn entry, const EmulatedHost& host,
                   const vernal_plugin_api** out);

/// The plugin's own table, as it stands in its memory, after an entry with a sound host.
const vernal_plugin_api* raw_plugin_table(const Options& options);

}  // namespace vernal::check

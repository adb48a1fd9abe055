// One whole use of a plugin, as the core does it: from open to close.
#pragma once

#include "plugin_check/subject/plugin_under_test.hpp"

namespace vernal::check {

/// A backend: open, plan, build, pool, a step, close. An architecture: probe, and build of a sample
/// model if there is one. A frontend: create, start, stop, destroy. A plugin of several kinds: each.
void use_once(PluginUnderTest& plugin);

}  // namespace vernal::check

// The x86-64 levels of instructions that this machine has.
#pragma once

#include <string_view>

namespace vernal::plugin {

/// Whether the processor and the operating system run code that was built for `level`: "x86-64",
/// "x86-64-v2", "x86-64-v3" or "x86-64-v4". True for "", false for every other name. Any thread.
bool machine_has(std::string_view level) noexcept;

}  // namespace vernal::plugin

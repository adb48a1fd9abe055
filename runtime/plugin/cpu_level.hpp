// Which of the x86-64 instruction set levels this machine has.
#pragma once

#include <string_view>

namespace vernal::plugin {

/// Whether the processor and the operating system run code built for `level`: "" (no need),
/// "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4". False for every other name. Any thread.
bool machine_has(std::string_view level) noexcept;

}  // namespace vernal::plugin

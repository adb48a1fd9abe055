// Text from outside, made safe for a terminal and a log line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernal {

/// `text` with control characters, backslashes, quotes and bytes that are not UTF-8 written as
/// escapes (\n, \x1b, \\, \"), cut with "..." after about `max_bytes` bytes: one line that cannot
/// steer a terminal or forge a log entry.
std::string printable(std::string_view text, std::uint64_t max_bytes = 160);

}  // namespace vernal

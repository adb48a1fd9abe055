// Makes text from outside safe for a terminal and for a line of the log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernal {

/// `text` as one line that cannot control a terminal or look like a log line. Control characters,
/// backslashes, quotes and bytes that are not UTF-8 become escapes: \n, \x1b, \\, \". A text that
/// is longer than about `max_bytes` bytes is cut and ends in "...".
std::string printable(std::string_view text, std::uint64_t max_bytes = 160);

}  // namespace vernal

// The text of one line of the log, as people read it and as programs read it.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// "component: text" for people. Control characters become '?', except line breaks, whose lines are
/// indented. An event (see vernal/abi/host.h, `log`) becomes "component: EVENT key=value key=value";
/// values with spaces, quotes or control characters stand as JSON strings, and null members are left
/// out.
std::string text_line(std::string_view component, std::string_view text);

/// The members of a JSON object without its braces: "component" and "message", or for an event
/// "component" and the event's own members. Members of an event that are called "time", "level" or
/// "component" are left out, because the log writes them itself. The result is valid UTF-8 on one
/// line; bytes that are not UTF-8 become U+FFFD.
std::string json_members(std::string_view component, std::string_view text);

}  // namespace vernal

// What stands around the words of a probe in a text that a template printed.
#pragma once

#include <string_view>

namespace vernal::probe {

/// The text without white space at its ends.
std::string_view stripped(std::string_view text);
bool has(std::string_view text, std::string_view part);
/// The tag that begins a text, "<think>" or "[THINK]", behind white space; empty if none does.
std::string_view first_tag(std::string_view text);
/// The tag that ends a text; white space may follow it.
std::string_view last_tag(std::string_view text);

}  // namespace vernal::probe

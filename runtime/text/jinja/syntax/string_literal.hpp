// Escapes in string literals.
#pragma once

#include <string>
#include <string_view>

namespace vernal::jinja {

/// What stands between the quotes of a literal, with Python's escapes (\n, \x41, \u00e9,
/// \U0001F600, octal, a backslash before a line break) resolved. Unknown escapes stay; two halves
/// of a surrogate pair become one character and a lone half U+FFFD. Throws Fault for digits that
/// are missing.
std::string unescape_string(std::string_view text);

}  // namespace vernal::jinja

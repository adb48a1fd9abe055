// Escapes in string literals.
#pragma once

#include <string>
#include <string_view>

namespace vernal::jinja {

/// The text between the quotes of a literal, with Python's escapes resolved: \n, \x41, \u00e9,
/// \U0001F600, octal numbers, and a backslash before a line break. Unknown escapes stay as they
/// are. Two halves of a surrogate pair become one character; a single half becomes U+FFFD. Throws
/// Fault if digits are missing.
std::string unescape_string(std::string_view text);

}  // namespace vernal::jinja

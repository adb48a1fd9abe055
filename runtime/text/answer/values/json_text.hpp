// Strings and numbers of JSON as text.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// A text as a JSON string, quotes included.
std::string json_string(std::string_view text);
/// The same for one byte of it, without quotes.
void append_json_byte(char byte, std::string& out);

/// The text between the quotes of a JSON string's written form; empty if it has none.
std::string_view json_string_body(std::string_view json);
/// What the body of a JSON string stands for. Its escapes are valid, as a ValueTransducer writes
/// them; the last one may be cut. A lone surrogate becomes U+FFFD.
std::string unescaped_json(std::string_view body);

/// Whether a text is a number of JSON.
bool is_json_number(std::string_view text) noexcept;

}  // namespace vernal

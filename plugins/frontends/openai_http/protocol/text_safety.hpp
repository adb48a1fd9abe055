// Text from outside, made fit for messages, headers and JSON.
#pragma once

#include <string>
#include <string_view>

namespace vernal::openai_http {

/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

/// Whether `text` is well-formed UTF-8.
bool is_valid_utf8(std::string_view text) noexcept;

/// At most 80 characters of `text`, for a message. Control characters become '?', invalid bytes
/// U+FFFD; "..." stands for what was cut off.
std::string shortened(std::string_view text);

}  // namespace vernal::openai_http

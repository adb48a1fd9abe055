// The part of a target behind the question mark.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vernal::openai_http {

/// The value of the first "key=value" in a query, percent-decoded; a plus sign is a space. Nothing:
/// there is no such key. An escape that is none stays as it is.
std::optional<std::string> query_value(std::string_view query, std::string_view key);

}  // namespace vernal::openai_http

// Ids that tell requests, answers and calls apart.
#pragma once

#include <string>
#include <string_view>

namespace vernal::openai_http {

/// `prefix` and 24 random hexadecimal digits: "chatcmpl-5f3a...". Any thread.
std::string make_id(std::string_view prefix);

}  // namespace vernal::openai_http

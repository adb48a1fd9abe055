// The formats of JSON Schema.
#pragma once

#include <optional>
#include <string_view>

#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// The texts of a format. Empty if the format is not known or not asserted: idn-email,
/// idn-hostname, regex and names that nobody defined.
/// Errors   RegexLimit
std::optional<Re> format_language(RegexPool& pool, std::string_view name);

/// What texts of the format are not offered; null if all are.
const char* narrowing_of(std::string_view name) noexcept;

}  // namespace vernal::grammar

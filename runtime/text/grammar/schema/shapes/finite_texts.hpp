// Lists the texts of small languages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

/// Appends all texts of `re` to `out`. False if there are more than `limit`.
bool finite_texts(RegexPool& pool, Re re, std::size_t limit, std::vector<std::u32string>& out);

/// The text as a JSON string, in quotes, with escapes only where JSON asks for them.
std::string json_string(std::u32string_view text);

}  // namespace vernal::grammar

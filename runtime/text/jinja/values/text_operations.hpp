// What filters and methods of strings have in common.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `text` with the first `count` occurrences of `from` (all if negative) replaced by `to`. An empty
/// `from` is found in front of every character and at the end.
Value replace_text(Heap& heap, std::string_view text, std::string_view from, std::string_view to,
                   std::int64_t count);

/// Appends `text` with the characters & < > " ' as HTML entities.
void append_escaped(TextBuilder& out, std::string_view text);

/// Lines without their ends, as str.splitlines.
std::vector<std::string_view> split_lines(std::string_view text, bool keeps_ends = false);

/// Parts between separators, at most `count` splits (all if negative), as str.split. The separator
/// is not empty.
Value split_at(Heap& heap, std::string_view text, std::string_view separator, std::int64_t count);
Value split_at_from_right(Heap& heap, std::string_view text, std::string_view separator,
                          std::int64_t count);
/// Parts between runs of white space, none of them empty.
Value split_at_spaces(Heap& heap, std::string_view text, std::int64_t count);
Value split_at_spaces_from_right(Heap& heap, std::string_view text, std::int64_t count);

enum class Padding : std::uint8_t { kLeft, kRight, kBoth };

/// `text` with `fill` added at the given sides until it has `width` characters.
Value pad_text(Heap& heap, const StringObject& text, Padding padding, std::int64_t width,
               std::string_view fill);

}  // namespace vernal::jinja

// What filters and methods of strings have in common.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `text` with the first `count` occurrences of `from` replaced by `to`; all if `count` is
/// negative. An empty `from` is found before every character and at the end.
Value replace_text(Heap& heap, std::string_view text, std::string_view from, std::string_view to,
                   std::int64_t count);

/// Appends `text`, with HTML entities for the characters & < > " '.
void append_escaped(TextBuilder& out, std::string_view text);

/// The lines of a text, as str.splitlines gives them. With `keeps_ends`, lines keep their line
/// ends.
std::vector<std::string_view> split_lines(std::string_view text, bool keeps_ends = false);

/// The parts between separators, as str.split and str.rsplit give them. There are at most `count`
/// splits; all if `count` is negative. The separator is not empty.
Value split_at(Heap& heap, std::string_view text, std::string_view separator, std::int64_t count);
Value split_at_from_right(Heap& heap, std::string_view text, std::string_view separator,
                          std::int64_t count);
/// The parts between runs of white space. None of them is empty.
Value split_at_spaces(Heap& heap, std::string_view text, std::int64_t count);
Value split_at_spaces_from_right(Heap& heap, std::string_view text, std::int64_t count);

enum class Padding : std::uint8_t { kLeft, kRight, kBoth };

/// `text` with `fill` added at the sides that `padding` says, until it has `width` characters.
Value pad_text(Heap& heap, const StringObject& text, Padding padding, std::int64_t width,
               std::string_view fill);

}  // namespace vernal::jinja

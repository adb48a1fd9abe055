// Writes one value with a width, a precision and an alignment.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// How one value is to be written. Both `%` and str.format use it.
struct FieldStyle {
  std::string fill = " ";
  char align = '\0';  // one of < > ^ =, or none
  char sign = '-';    // one of - + space
  bool alternate = false;
  bool group_thousands = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = '\0';
};

/// The largest width or precision that is read. The budget stops a rendering long before.
inline constexpr std::int64_t kMaxFieldWidth = 1'000'000'000;

/// Reads the decimal number at `position` and moves `position` behind it; 0 if there are no digits.
std::int64_t read_field_number(std::string_view text, std::size_t& position);

/// Appends an integer. Types: d x X o b; none means decimal.
void append_integer(TextBuilder& out, std::int64_t value, const FieldStyle& style);
/// Appends a float. Types: e E f F g G %; none means the shortest text.
void append_float(TextBuilder& out, double value, const FieldStyle& style);
/// Appends a text, cut to the precision.
void append_text(TextBuilder& out, std::string_view text, const FieldStyle& style);
/// Appends str(value).
void append_string(TextBuilder& out, const Value& value, const FieldStyle& style);
/// Appends repr(value).
void append_repr(TextBuilder& out, const Value& value, const FieldStyle& style);
/// Appends the character of a code point, or a string of one character.
void append_character(TextBuilder& out, const Value& value, const FieldStyle& style);

}  // namespace vernal::jinja

#include "text/jinja/builtins/format_field.hpp"

#include <algorithm>
#include <cmath>

#include "text/jinja/error.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

constexpr std::int64_t kMaxPrecision = 1'000;  // more digits than any float has

void append_padded(TextBuilder& out, std::string_view sign, std::string_view body,
                   const FieldStyle& style, char default_align) {
  const auto length = static_cast<std::int64_t>(count_code_points(body) + sign.size());
  const std::int64_t padding = std::max<std::int64_t>(0, style.width - length);
  const char align = style.align == '\0' ? default_align : style.align;
  const std::int64_t before = align == '<' ? 0 : (align == '^' ? padding / 2 : padding);
  const auto pad = [&](std::int64_t count) { out.append_repeated(style.fill, count); };
  if (align == '=') {
    out.append(sign);
    pad(padding);
    out.append(body);
    return;
  }
  pad(before);
  out.append(sign);
  out.append(body);
  pad(padding - before);
}

std::string group_thousands(std::string digits) {
  const std::size_t end = std::min(digits.find_first_not_of("0123456789"), digits.size());
  for (std::size_t at = end; at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string_view sign_text(bool is_negative, char sign) {
  if (is_negative) {
    return "-";
  }
  return sign == '+' ? "+" : (sign == ' ' ? " " : "");
}

}  // namespace

std::int64_t read_field_number(std::string_view text, std::size_t& position) {
  std::int64_t number = 0;
  for (; position < text.size() && is_ascii_digit(text[position]); ++position) {
    number = std::min(kMaxFieldWidth, number * 10 + (text[position] - '0'));
  }
  return number;
}

void append_integer(TextBuilder& out, std::int64_t value, const FieldStyle& style) {
  const std::uint64_t magnitude =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string digits;
  std::string prefix(sign_text(value < 0, style.sign));
  switch (style.type) {
    case 'x':
      digits = fmt::format("{:x}", magnitude);
      break;
    case 'X':
      digits = fmt::format("{:X}", magnitude);
      break;
    case 'o':
      digits = fmt::format("{:o}", magnitude);
      break;
    case 'b':
      digits = fmt::format("{:b}", magnitude);
      break;
    default:
      digits = fmt::to_string(magnitude);
      break;
  }
  if (style.alternate && style.type != '\0' && style.type != 'd') {
    prefix += '0';
    prefix += style.type;
  }
  const auto min_digits =
      static_cast<std::size_t>(std::clamp<std::int64_t>(style.precision, 0, kMaxPrecision));
  if (digits.size() < min_digits) {
    digits.insert(0, min_digits - digits.size(), '0');
  }
  append_padded(out, prefix, style.group_thousands ? group_thousands(digits) : digits, style, '>');
}

void append_float(TextBuilder& out, double value, const FieldStyle& style) {
  if (style.precision > kMaxPrecision) {
    fail("a precision of {} digits is too much; at most {} are allowed", style.precision,
         kMaxPrecision);
  }
  const bool is_negative = std::signbit(value) && !std::isnan(value);
  const double magnitude = std::fabs(value) * (style.type == '%' ? 100 : 1);
  const auto precision = static_cast<int>(style.precision < 0 ? 6 : style.precision);
  std::string digits;
  switch (style.type) {
    case 'e':
      digits = fmt::format("{:.{}e}", magnitude, precision);
      break;
    case 'E':
      digits = fmt::format("{:.{}E}", magnitude, precision);
      break;
    case 'g':
      digits = fmt::format("{:.{}g}", magnitude, std::max(1, precision));
      break;
    case 'G':
      digits = fmt::format("{:.{}G}", magnitude, std::max(1, precision));
      break;
    case '%':
      digits = fmt::format("{:.{}f}%", magnitude, precision);
      break;
    case '\0':
      digits = style.precision < 0 ? float_repr(magnitude)
                                   : fmt::format("{:.{}g}", magnitude, std::max(1, precision));
      break;
    default:
      digits = fmt::format("{:.{}f}", magnitude, precision);
      break;
  }
  append_padded(out, sign_text(is_negative, style.sign),
                style.group_thousands ? group_thousands(digits) : digits, style, '>');
}

void append_text(TextBuilder& out, std::string_view text, const FieldStyle& style) {
  if (style.precision >= 0) {
    text = text.substr(0, offset_of(text, static_cast<std::uint64_t>(style.precision)));
  }
  append_padded(out, "", text, style, '<');
}

void append_character(TextBuilder& out, const Value& value, const FieldStyle& style) {
  if (value.is_string() && value.string().length() == 1) {
    append_text(out, value.text(), style);
    return;
  }
  const std::int64_t code = require_integer(value, "the value for %c");
  if (code < 0 || code > 0x10FFFF) {
    fail("%c arg not in range(0x110000)");
  }
  std::string text;
  append_utf8(text, static_cast<char32_t>(code));
  append_text(out, text, style);
}

void append_repr(TextBuilder& out, const Value& value, const FieldStyle& style) {
  TextBuilder text(out.heap());
  print_repr(text, value);
  append_text(out, text.view(), style);
}

void append_string(TextBuilder& out, const Value& value, const FieldStyle& style) {
  append_text(out, to_string_value(out.heap(), value).text(), style);
}

}  // namespace vernal::jinja

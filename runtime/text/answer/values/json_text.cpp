#include "text/answer/values/json_text.hpp"

#include <cstddef>
#include <cstdint>

namespace vernal {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

/// The escape that stands for a control character and the like; nothing for others.
std::string_view short_escape(char byte) noexcept {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    default:
      return {};
  }
}

void append_control(char byte, std::string& out) {
  const std::string_view escape = short_escape(byte);
  if (!escape.empty()) {
    out += escape;
    return;
  }
  const auto code = static_cast<unsigned char>(byte);
  out += "\\u00";
  out += kHexDigits[code >> 4U];
  out += kHexDigits[code & 15U];
}

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

/// The code of the \uXXXX that begins `text`, whose digits are good.
std::uint32_t hex_code(std::string_view text) {
  std::uint32_t code = 0;
  for (const char digit : text.substr(2, 4)) {
    const auto letter = static_cast<std::uint32_t>(static_cast<unsigned char>(digit) | 0x20U);
    code = code * 16 + (is_digit(digit) ? letter - ('0' | 0x20U) : letter - 'a' + 10);
  }
  return code;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) append_json_byte(byte, out);
  out += '"';
  return out;
}

void append_json_byte(char byte, std::string& out) {
  if (byte == '"' || byte == '\\') {
    out += '\\';
    out += byte;
  } else if (static_cast<unsigned char>(byte) < 0x20) {
    append_control(byte, out);
  } else {
    out += byte;
  }
}

std::string_view json_string_body(std::string_view json) {
  if (json.size() >= 2 && json.front() == '"' && json.back() == '"') {
    return json.substr(1, json.size() - 2);
  }
  return {};
}

std::string unescaped_json(std::string_view body) {
  std::string out;
  while (!body.empty()) {
    std::size_t length = 1;
    if (body.front() != '\\' || body.size() < 2) {
      out += body.front();
    } else if (body[1] == 'u' && body.size() >= 6) {
      std::uint32_t code = hex_code(body);
      length = 6;
      const bool is_high = code >= 0xD800 && code < 0xDC00;
      if (is_high && body.size() >= 12 && body.substr(6, 2) == "\\u") {
        const std::uint32_t low = hex_code(body.substr(6));
        if (low >= 0xDC00 && low < 0xE000) {
          code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
          length = 12;
        }
      }
      append_utf8(code >= 0xD800 && code < 0xE000 ? 0xFFFD : code, out);
    } else {
      constexpr std::string_view kLetters = "bfnrt";
      constexpr std::string_view kMeant = "\b\f\n\r\t";
      const std::size_t at = kLetters.find(body[1]);
      out += at == std::string_view::npos ? body[1] : kMeant[at];
      length = 2;
    }
    body.remove_prefix(length);
  }
  return out;
}

bool is_json_number(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > begin;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const bool has_leading_zero = at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1]);
  if (has_leading_zero || !digits()) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

}  // namespace vernal

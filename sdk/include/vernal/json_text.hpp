// Text as a JSON string: what a frontend without a JSON library needs to write request documents.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// `text` in quotes, with quotes, backslashes and control characters escaped. Other bytes stand for
/// themselves, so UTF-8 stays UTF-8; what is not UTF-8 is refused by the core, not here.
inline std::string json_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20) {
      out += c;
    } else {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out + '"';
}

}  // namespace vernal

// Text as a JSON string, so that a frontend without a JSON library can write request documents.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// `text` in quotes, with quotes, backslashes and control characters escaped. Other bytes are kept,
/// so UTF-8 stays UTF-8. The core refuses what is not UTF-8; this function does not check.
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

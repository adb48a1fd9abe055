#include "model/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace vernal {
namespace {

std::uint32_t byte_of(char c) noexcept { return static_cast<unsigned char>(c); }

/// The number of bytes of the well-formed UTF-8 character that `text` begins with; 0 if there is
/// none.
std::uint64_t character_bytes(std::string_view text) noexcept {
  const std::uint32_t lead = byte_of(text[0]);
  if (lead < 0x80) return 1;
  const std::uint64_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::uint64_t i = 1; i < length; ++i) {
    if ((byte_of(text[i]) & 0xC0U) != 0x80U) return 0;
  }
  const std::uint32_t second = byte_of(text[1]);
  const bool is_overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool is_surrogate = lead == 0xED && second > 0x9F;
  const bool is_too_large = lead == 0xF4 && second > 0x8F;
  return is_overlong || is_surrogate || is_too_large ? 0 : length;
}

/// Whether a character controls what a terminal does or shows. Terminals obey U+0080 to U+009F as
/// control codes. U+2028 to U+202E and U+2066 to U+2069 end lines or change the direction of text.
bool steers_output(std::string_view character) noexcept {
  if (character.size() == 1) return byte_of(character[0]) < 0x20 || character[0] == 0x7F;
  if (character.size() == 2) return byte_of(character[0]) == 0xC2 && byte_of(character[1]) < 0xA0;
  if (!character.starts_with("\xE2\x80") && !character.starts_with("\xE2\x81")) return false;
  const std::uint32_t last = byte_of(character[2]);
  return byte_of(character[1]) == 0x80 ? last >= 0xA8 && last <= 0xAE
                                       : last >= 0xA6 && last <= 0xA9;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte_of(c));
  }
}

}  // namespace

std::string printable(std::string_view text, std::uint64_t max_bytes) {
  std::string out;
  out.reserve(std::min<std::uint64_t>(text.size(), max_bytes) + 3);
  while (!text.empty()) {
    if (out.size() >= max_bytes) return out += "...";
    const std::uint64_t length = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::uint64_t>(length, 1));
    if (length == 0 || steers_output(character)) {
      for (const char c : character) append_escaped(out, c);
    } else {
      if (character == "\\" || character == "\"") out += '\\';
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace vernal

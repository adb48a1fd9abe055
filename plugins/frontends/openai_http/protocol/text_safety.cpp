#include "openai_http/protocol/text_safety.hpp"

#include <cstdint>

namespace vernal::openai_http {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kLongestQuote = 80;

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

bool in_range(std::uint8_t byte, std::uint8_t low, std::uint8_t high) {
  return byte >= low && byte <= high;
}

/// Bytes of the well-formed character that begins at `i`; 0 if there is none (Unicode, table 3-7).
std::size_t character_size(std::string_view text, std::size_t i) {
  const std::uint8_t lead = byte_at(text, i);
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (in_range(lead, 0xC2, 0xDF)) {
    size = 2;
  } else if (in_range(lead, 0xE0, 0xEF)) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (in_range(lead, 0xF0, 0xF4)) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (size == 0 || text.size() - i < size) return 0;
  if (!in_range(byte_at(text, i + 1), low, high)) return 0;
  for (std::size_t k = 2; k < size; ++k) {
    if (!in_range(byte_at(text, i + k), 0x80, 0xBF)) return 0;
  }
  return size;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text, i);
    valid += size == 0 ? kReplacement : text.substr(i, size);
    i += size == 0 ? 1 : size;
  }
  return valid;
}

std::string shortened(std::string_view text) {
  std::string quote;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++characters) {
    if (characters == kLongestQuote) return quote + "...";
    const std::size_t size = character_size(text, i);
    const std::uint8_t lead = byte_at(text, i);
    if (size == 0) {
      quote += kReplacement;
    } else if (lead < 0x20 || lead == 0x7F) {
      quote += '?';
    } else {
      quote += text.substr(i, size);
    }
    i += size == 0 ? 1 : size;
  }
  return quote;
}

}  // namespace vernal::openai_http

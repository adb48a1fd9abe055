#include "text/tokenizer/utf8.hpp"

namespace vernal {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// What a lead byte says: how many bytes follow, the range of the first of them, and the bits of the
// code point that it has itself. The range excludes overlong forms, surrogates and values above
// U+10FFFF.
struct Lead {
  std::uint8_t following;
  std::uint8_t low;
  std::uint8_t high;
  std::uint8_t bits;
};

constexpr Lead kNotALead{0, 0, 0, 0};

constexpr Lead lead_of(std::uint8_t byte) noexcept {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF, static_cast<std::uint8_t>(byte & 0x1F)};
  if (byte >= 0xE0 && byte <= 0xEF) {
    const std::uint8_t low = byte == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t high = byte == 0xED ? 0x9F : 0xBF;
    return {2, low, high, static_cast<std::uint8_t>(byte & 0x0F)};
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    const std::uint8_t low = byte == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = byte == 0xF4 ? 0x8F : 0xBF;
    return {3, low, high, static_cast<std::uint8_t>(byte & 0x07)};
  }
  return kNotALead;
}

}  // namespace

Utf8Character read_utf8(std::string_view text) noexcept {
  const auto first = static_cast<std::uint8_t>(text[0]);
  if (first < 0x80) return {first, 1, Utf8Status::kValid};
  const Lead lead = lead_of(first);
  if (lead.following == 0) return {kReplacement, 1, Utf8Status::kInvalid};

  char32_t code_point = lead.bits;
  for (std::uint8_t i = 1; i <= lead.following; ++i) {
    if (i >= text.size()) return {kReplacement, i, Utf8Status::kTruncated};
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const std::uint8_t low = i == 1 ? lead.low : 0x80;
    const std::uint8_t high = i == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) return {kReplacement, i, Utf8Status::kInvalid};
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  return {code_point, static_cast<std::uint8_t>(lead.following + 1), Utf8Status::kValid};
}

}  // namespace vernal

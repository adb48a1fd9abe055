#include "stdin_repl/utf8.hpp"

#include <cstddef>

namespace vernal::stdin_repl {
namespace {

constexpr wchar_t kReplacement = 0xFFFD;
constexpr char32_t kControlPictures = 0x2400;  // U+2400 + c is the picture of control character c
constexpr char32_t kDelete = 0x7F;
constexpr char32_t kDeletePicture = 0x2421;

bool is_scalar(char32_t value) { return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF); }

void append_utf8(std::string& out, char32_t value) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (!is_scalar(value)) value = kReplacement;
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

}  // namespace

void Utf8Decoder::push(std::string_view bytes) {
  for (const char byte : bytes) push_byte(static_cast<unsigned char>(byte));
}

void Utf8Decoder::push_byte(unsigned char byte) {
  if (missing_bytes_ == 0) return begin(byte);
  if ((byte & 0xC0) != 0x80) {
    reset();
    characters_.push_back(kReplacement);
    return begin(byte);
  }
  partial_ = (partial_ << 6) | (byte & 0x3F);
  if (--missing_bytes_ > 0) return;
  const bool is_valid = partial_ >= least_ && is_scalar(partial_);
  characters_.push_back(is_valid ? static_cast<wchar_t>(partial_) : kReplacement);
}

void Utf8Decoder::begin(unsigned char byte) {
  if (byte < 0x80) {
    characters_.push_back(static_cast<wchar_t>(byte));
  } else if (byte >= 0xC2 && byte < 0xE0) {
    partial_ = byte & 0x1F;
    least_ = 0x80;
    missing_bytes_ = 1;
  } else if (byte >= 0xE0 && byte < 0xF0) {
    partial_ = byte & 0x0F;
    least_ = 0x800;
    missing_bytes_ = 2;
  } else if (byte >= 0xF0 && byte < 0xF5) {
    partial_ = byte & 0x07;
    least_ = 0x10000;
    missing_bytes_ = 3;
  } else {
    characters_.push_back(kReplacement);
  }
}

void Utf8Decoder::reset() noexcept { missing_bytes_ = 0; }

std::optional<wchar_t> Utf8Decoder::take() {
  if (characters_.empty()) return std::nullopt;
  const wchar_t character = characters_.front();
  characters_.pop_front();
  return character;
}

void Utf8Decoder::clear() noexcept {
  characters_.clear();
  reset();
}

std::string to_utf8(std::wstring_view text) {
  std::string out;
  for (const wchar_t character : text) append_utf8(out, static_cast<char32_t>(character));
  return out;
}

std::wstring to_wide(std::string_view utf8) {
  Utf8Decoder decoder;
  decoder.push(utf8);
  std::wstring out;
  while (const auto character = decoder.take()) out.push_back(*character);
  return out;
}

std::string visible_text(std::string_view utf8) {
  std::string out;
  for (const wchar_t character : to_wide(utf8)) {
    const auto value = static_cast<char32_t>(character);
    if (value == '\r') continue;
    if (value == '\n' || value == '\t' || (value >= 0x20 && value < kDelete) || value >= 0xA0) {
      append_utf8(out, value);
    } else if (value < 0x20) {
      append_utf8(out, kControlPictures + value);
    } else {
      append_utf8(out, value == kDelete ? kDeletePicture : char32_t{kReplacement});
    }
  }
  return out;
}

}  // namespace vernal::stdin_repl

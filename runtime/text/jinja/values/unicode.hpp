// UTF-8 as templates see it: positions count code points, classes are Unicode's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::jinja {

/// One code point of a text, or one byte that belongs to none.
struct CodePoint {
  char32_t value;
  std::size_t num_bytes;
};

/// The code point at `position` < text.size(). A byte that starts no valid sequence stands for
/// itself as one code point, so that every text can be walked.
CodePoint code_point_at(std::string_view text, std::size_t position) noexcept;

std::uint64_t count_code_points(std::string_view text) noexcept;
/// Byte offset of the code point `index`, or text.size() if there are fewer.
std::size_t offset_of(std::string_view text, std::uint64_t index) noexcept;
bool is_valid_utf8(std::string_view text) noexcept;
/// Appends a code point; U+FFFD for what is none.
void append_utf8(std::string& text, char32_t code_point);

constexpr bool is_ascii_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

/// Python's str.isspace for one code point.
bool is_space(char32_t code_point) noexcept;
/// Whether Python's repr shows the code point as it is.
bool is_printable(char32_t code_point) noexcept;
/// Whether the code point may be part of a name.
bool is_name_character(char32_t code_point) noexcept;
bool is_decimal_digit(char32_t code_point) noexcept;
bool is_letter(char32_t code_point) noexcept;
bool is_upper(char32_t code_point) noexcept;
bool is_lower(char32_t code_point) noexcept;

/// Whether there are letters of upper (lower) case in the text and none of the other.
bool is_upper_text(std::string_view text) noexcept;
bool is_lower_text(std::string_view text) noexcept;

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
/// First letter of each word in upper case, the rest in lower case, as str.title.
std::string to_title(std::string_view text);
/// First character in upper case, the rest in lower case.
std::string to_capitalized(std::string_view text);

enum class Side : std::uint8_t { kLeft, kRight, kBoth };

/// Without the code points of `characters` (white space if absent) at the given ends.
std::string_view strip(std::string_view text, Side side,
                       std::optional<std::string_view> characters = std::nullopt) noexcept;

}  // namespace vernal::jinja

// UTF-8 as templates see it: positions count code points, and classes of characters are Unicode's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::jinja {

/// One code point of a text, or one byte that is not a part of a code point.
struct CodePoint {
  char32_t value;
  std::size_t num_bytes;
};

/// The code point at `position`, which is below text.size(). A byte that starts no valid sequence
/// counts as one code point, so that every text can be read.
CodePoint code_point_at(std::string_view text, std::size_t position) noexcept;

std::uint64_t count_code_points(std::string_view text) noexcept;
/// The byte at which code point `index` begins; text.size() if there are fewer code points.
std::size_t offset_of(std::string_view text, std::uint64_t index) noexcept;
bool is_valid_utf8(std::string_view text) noexcept;
/// Appends a code point; U+FFFD if it is not one.
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

/// Whether the text has letters of upper (lower) case and none of lower (upper) case.
bool is_upper_text(std::string_view text) noexcept;
bool is_lower_text(std::string_view text) noexcept;

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
/// Like str.title: the first letter of each word in upper case, the other letters in lower case.
std::string to_title(std::string_view text);
/// The first character in upper case, the others in lower case.
std::string to_capitalized(std::string_view text);

enum class Side : std::uint8_t { kLeft, kRight, kBoth };

/// `text` without code points of `characters` at the ends that `side` says. Without `characters`,
/// white space is removed.
std::string_view strip(std::string_view text, Side side,
                       std::optional<std::string_view> characters = std::nullopt) noexcept;

}  // namespace vernal::jinja

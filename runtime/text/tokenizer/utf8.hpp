// Reads UTF-8 from bytes that need not be UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// U+FFFD in UTF-8. It stands for bytes that are no character.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

enum class Utf8Status : std::uint8_t {
  kValid,      ///< a whole, well-formed character
  kInvalid,    ///< bytes that cannot be a part of a character, whatever follows
  kTruncated,  ///< the text ends inside a character that is well-formed so far
};

/// The character at one place of a text.
struct Utf8Character {
  char32_t code_point;  ///< U+FFFD unless kValid
  std::uint8_t length;  ///< 1 to 4 bytes; an invalid sequence ends before the first wrong byte
  Utf8Status status;
};

/// Reads the character that `text`, which is not empty, begins with. Overlong forms, surrogates and
/// values above U+10FFFF are invalid. Invalid bytes are cut into the pieces that Unicode recommends
/// ("maximal subparts"). If each piece becomes one U+FFFD, the result is that of other decoders.
Utf8Character read_utf8(std::string_view text) noexcept;

}  // namespace vernal

// Reading UTF-8 from bytes that need not be UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// U+FFFD in UTF-8: stands for bytes that are no character.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

enum class Utf8Status : std::uint8_t {
  kValid,      ///< a whole, well-formed character
  kInvalid,    ///< bytes that cannot begin or continue a character, whatever follows
  kTruncated,  ///< the text ends inside a character that is well-formed so far
};

/// What stands at one place of a text.
struct Utf8Character {
  char32_t code_point;  ///< U+FFFD unless kValid
  std::uint8_t
      length;  ///< bytes taken: 1 to 4; an invalid sequence is taken up to the first wrong byte
  Utf8Status status;
};

/// Reads the character at the start of `text`, which is not empty. Overlong forms, surrogates and
/// values above U+10FFFF are invalid. Invalid input is cut as Unicode recommends ("maximal
/// subparts"), so that one U+FFFD for each piece gives what other decoders give.
Utf8Character read_utf8(std::string_view text) noexcept;

}  // namespace vernal

// How byte-level vocabularies write any byte as a printable character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernal {

// The alphabet of byte-level byte-pair encoding has 256 characters that stand for the 256 bytes.
// Bytes that are printable in Latin-1 (33..126, 161..172, 174..255) stand for themselves. The other
// 68 are written, in ascending order, as U+0100, U+0101, ...: a space is U+0120 "Ġ", a line feed
// U+010A "Ċ".

/// The byte that `character` stands for; -1 if it is not in the alphabet.
int byte_of_character(char32_t character) noexcept;

/// The character that stands for `byte`, in UTF-8.
std::string character_of_byte(std::uint8_t byte);

/// Appends the bytes that `text` stands for to `bytes`. A character outside the alphabet is
/// appended as it is, in UTF-8. Returns true if every character is in the alphabet.
bool append_bytes_of_text(std::string_view text, std::string& bytes);

}  // namespace vernal

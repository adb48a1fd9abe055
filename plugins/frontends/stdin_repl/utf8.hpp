// Converts between UTF-8 and the wide characters of the line editor, without a locale.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::stdin_repl {

/// Turns bytes into characters. Bytes that are not UTF-8 become U+FFFD, so that the user sees them.
class Utf8Decoder {
 public:
  void push(std::string_view bytes);
  /// The next character; nothing if it is not complete.
  std::optional<wchar_t> take();
  /// Drops everything that was not taken.
  void clear() noexcept;

 private:
  void push_byte(unsigned char byte);
  void begin(unsigned char byte);
  void reset() noexcept;

  std::deque<wchar_t> characters_;
  char32_t partial_ = 0;   // the bits so far of an incomplete character
  char32_t least_ = 0;     // the least value of its length: smaller ones have a shorter form
  int missing_bytes_ = 0;  // of an incomplete character
};

/// Wide characters as UTF-8. Surrogates and values above U+10FFFF become U+FFFD.
std::string to_utf8(std::wstring_view text);

/// UTF-8 as wide characters.
std::wstring to_wide(std::string_view utf8);

/// A text that is safe to send to a terminal. Control characters, which could move the cursor or
/// change the terminal's state, become visible symbols. Line feeds and tabs stay; carriage returns
/// are dropped. `utf8` must not end inside a character.
std::string visible_text(std::string_view utf8);

}  // namespace vernal::stdin_repl

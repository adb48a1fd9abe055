// UTF-8 from and to the wide characters of the line editor, independent of any locale.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace vernal::stdin_repl {

/// Bytes in, characters out. What is not UTF-8 becomes U+FFFD, so nothing typed is lost silently.
class Utf8Decoder {
 public:
  void push(std::string_view bytes);
  /// The next whole character, if one is there.
  std::optional<wchar_t> take();
  /// Forgets everything that was not taken.
  void clear() noexcept;

 private:
  void push_byte(unsigned char byte);
  void begin(unsigned char byte);
  void reset() noexcept;

  std::deque<wchar_t> characters_;
  char32_t partial_ = 0;   // of the character in progress
  char32_t least_ = 0;     // smaller values would have a shorter form
  int missing_bytes_ = 0;  // of the character in progress
};

/// The UTF-8 of wide characters; surrogates and values above U+10FFFF become U+FFFD.
std::string to_utf8(std::wstring_view text);

/// The wide characters of UTF-8.
std::wstring to_wide(std::string_view utf8);

/// What is safe to send to a terminal: control characters, with which a text could move the cursor
/// or change the terminal's state, become visible symbols. Line feeds and tabs stay, carriage
/// returns go. Takes whole characters.
std::string visible_text(std::string_view utf8);

}  // namespace vernal::stdin_repl

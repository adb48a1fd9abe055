// What the console shows beside answers.
#pragma once

#include <string_view>

#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Lines on a terminal, through the console service. The console's thread. Members throw Error when
/// the terminal is gone. Text may come from anywhere: control characters in it are shown, not sent.
class Screen {
 public:
  /// `has_styles`: whether the terminal knows text attributes and cursor movements.
  Screen(const ConsoleClient& console, bool has_styles)
      : console_(console), has_styles_(has_styles) {}

  /// A line of its own.
  void line(std::string_view text) const;
  /// A remark on what happens, in a quieter colour.
  void note(std::string_view text) const;
  /// What went wrong, in one line whatever the text.
  void error(std::string_view text) const;

  /// Text of an answer, without a line's end of its own.
  void text(std::string_view text) const;
  /// Quieter text from here on, or ordinary text again.
  void set_quiet(bool is_quiet) const;
  /// A line that the next output replaces; nothing on a terminal that cannot erase.
  void passing(std::string_view text) const;
  /// Takes a passing line away.
  void erase_line() const;

 private:
  ConsoleClient console_;
  bool has_styles_;
};

}  // namespace vernal::stdin_repl

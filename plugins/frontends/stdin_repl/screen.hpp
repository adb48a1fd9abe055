// Everything that the console shows on a terminal.
#pragma once

#include <string_view>

#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Writes to a terminal through the console service. Text may come from anywhere: control
/// characters in it are shown, not sent. Members throw Error if the terminal is gone. The console's
/// thread.
class Screen {
 public:
  /// `has_styles` says whether the terminal knows text attributes and cursor movements.
  Screen(const ConsoleClient& console, bool has_styles)
      : console_(console), has_styles_(has_styles) {}

  /// Writes a line.
  void line(std::string_view text) const;
  /// Writes a remark as a line in a quieter colour.
  void note(std::string_view text) const;
  /// Writes an error as one line, even if the text has several.
  void error(std::string_view text) const;

  /// Writes text of an answer, without a line feed at its end.
  void text(std::string_view text) const;
  /// Writes the following text in a quieter colour, or in the usual one again.
  void set_quiet(bool is_quiet) const;
  /// Writes a line that the next output replaces. Does nothing on a terminal that cannot erase
  /// lines.
  void passing(std::string_view text) const;
  /// Erases the line that passing() wrote.
  void erase_line() const;

 private:
  ConsoleClient console_;
  bool has_styles_;
};

}  // namespace vernal::stdin_repl

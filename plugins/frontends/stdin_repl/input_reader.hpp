// Inputs of one or several lines.
#pragma once

#include <string>

#include "stdin_repl/line_source.hpp"

namespace vernal::stdin_repl {

/// What the user wants said or done, or why there is nothing.
struct Input {
  InputLine::Kind kind = InputLine::Kind::kEnd;
  std::string text = {};    // UTF-8, with line feeds between its lines
  bool is_literal = false;  // came as a block: no command, whatever it begins with
};

/// Puts lines together: a line that ends in a backslash goes on in the next one, and a line that
/// begins with """ opens a block that the next """ at the end of a line closes.
class InputReader {
 public:
  /// `lines` outlives the reader.
  explicit InputReader(LineSource& lines) : lines_(lines) {}

  /// The next input. An interrupt or an end within an input
  /// gives that, without the lines before it.
  Input read();

 private:
  Input read_block(std::string text);
  Input read_continued(std::string text);

  LineSource& lines_;
};

}  // namespace vernal::stdin_repl

// Inputs of one or several lines.
#pragma once

#include <string>

#include "stdin_repl/line_source.hpp"

namespace vernal::stdin_repl {

/// An input of the user, or the reason why there is none.
struct Input {
  InputLine::Kind kind = InputLine::Kind::kEnd;
  std::string text = {};    // UTF-8, with line feeds between its lines
  bool is_literal = false;  // was a block: it is no command, even if it begins with a slash
};

/// Joins lines to inputs. A line that ends in a backslash goes on in the next line. A line that
/// begins with """ opens a block, which the next """ at the end of a line closes.
class InputReader {
 public:
  /// `lines` must outlive the reader.
  explicit InputReader(LineSource& lines) : lines_(lines) {}

  /// The next input. If an interrupt or the end comes inside an input, it is returned instead, and
  /// the lines before it are dropped.
  Input read();

 private:
  Input read_block(std::string text);
  Input read_continued(std::string text);

  LineSource& lines_;
};

}  // namespace vernal::stdin_repl

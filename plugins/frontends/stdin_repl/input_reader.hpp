// Inputs of one or several lines.
#pragma once

#include "stdin_repl/line_source.hpp"

namespace vernal::stdin_repl {

/// Puts lines together: a line that ends in a backslash goes on in the next one, and a line that
/// begins with """ opens a block that the next """ at the end of a line closes.
class InputReader {
 public:
  /// `lines` outlives the reader.
  explicit InputReader(LineSource& lines) : lines_(lines) {}

  /// The next input, with line feeds between its lines. An interrupt or an end within an input
  /// gives that, without the lines before it.
  InputLine read();

 private:
  InputLine read_block(std::string text);
  InputLine read_continued(std::string text);

  LineSource& lines_;
};

}  // namespace vernal::stdin_repl

// Where the console's lines come from.
#pragma once

#include <string>
#include <string_view>

namespace vernal::stdin_repl {

/// One line of input, or the reason why there is none.
struct InputLine {
  enum class Kind {
    kLine,
    kInterrupted,  // Ctrl-C: the typed text is dropped
    kEnd,          // end of input (Ctrl-D on an empty line)
    kClosed,       // the process ends
  };
  Kind kind = Kind::kEnd;
  std::string text;  // UTF-8, without the line feed
};

class LineSource {
 public:
  virtual ~LineSource() = default;
  /// Shows `prompt` and waits for a line. One thread.
  virtual InputLine read(std::string_view prompt) = 0;
};

}  // namespace vernal::stdin_repl

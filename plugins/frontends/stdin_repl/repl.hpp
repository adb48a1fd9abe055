// The conversation at a terminal: read an input, answer it, again.
#pragma once

#include "stdin_repl/chat.hpp"
#include "stdin_repl/commands.hpp"
#include "stdin_repl/input_reader.hpp"
#include "stdin_repl/screen.hpp"

namespace vernal::stdin_repl {

/// The loop over inputs. The console's thread.
class Repl {
 public:
  /// References outlive the object.
  Repl(LineSource& lines, Chat& chat, const Screen& screen)
      : inputs_(lines), chat_(chat), screen_(screen) {}

  /// Returns at /quit, at the end of input, or when the process ends. What an input does wrong is
  /// shown and the next one read. Throws Error when the terminal is gone.
  void run();

 private:
  AfterCommand handle(const Input& input);
  void hint_at_quit(bool is_interrupted);

  InputReader inputs_;
  Chat& chat_;
  const Screen& screen_;
  int num_interrupts_ = 0;  // in a row, without an input between them
};

}  // namespace vernal::stdin_repl

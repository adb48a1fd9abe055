// The conversation at a terminal: reads an input, answers it, and so on.
#pragma once

#include "stdin_repl/chat.hpp"
#include "stdin_repl/commands.hpp"
#include "stdin_repl/input_reader.hpp"
#include "stdin_repl/screen.hpp"

namespace vernal::stdin_repl {

/// The loop over the inputs. The console's thread.
class Repl {
 public:
  /// What the references refer to must outlive the object.
  Repl(LineSource& lines, Chat& chat, const Screen& screen)
      : inputs_(lines), chat_(chat), screen_(screen) {}

  /// Returns at /quit, at the end of input, or when the process ends. If an input fails, the error
  /// is shown and the next input is read. Throws Error if the terminal is gone.
  void run();

 private:
  AfterCommand handle(const Input& input);
  void hint_at_quit(bool is_interrupted);

  InputReader inputs_;
  Chat& chat_;
  const Screen& screen_;
  int num_interrupts_ = 0;  // since the last input
};

}  // namespace vernal::stdin_repl

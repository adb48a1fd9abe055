// The two ways in which an answer is written.
#pragma once

#include <cstdint>

#include "stdin_repl/answer.hpp"
#include "stdin_repl/screen.hpp"
#include "vernal/console_client.hpp"

namespace vernal::stdin_repl {

/// Writes for a person: reasoning in a quieter colour, the progress of long prompts, warnings, and
/// the reason why the answer ended.
class TerminalPrinter final : public AnswerPrinter {
 public:
  /// `screen` must outlive the printer.
  explicit TerminalPrinter(const Screen& screen) : screen_(screen) {}
  void show(const vernal_event& event) override;
  void finish(const Answer& answer) override;

 private:
  void show_text(std::string_view text, bool is_quiet);
  void show_progress(const vernal_event& event);
  void end_passing_line();

  const Screen& screen_;
  bool has_passing_line_ = false;
  bool is_quiet_ = false;
  bool is_in_line_ = false;  // the cursor is not at the beginning of a line
};

/// Writes for another program: only the content as it comes, and a line feed at its end. Warnings
/// go to the log. If the output is a terminal, control characters are made visible.
class PlainPrinter final : public AnswerPrinter {
 public:
  explicit PlainPrinter(const ConsoleClient& console)
      : console_(console), is_terminal_(console.terminals().output) {}
  void show(const vernal_event& event) override;
  void finish(const Answer& answer) override;

 private:
  ConsoleClient console_;
  bool is_terminal_;
};

}  // namespace vernal::stdin_repl

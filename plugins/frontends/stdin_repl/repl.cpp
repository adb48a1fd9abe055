#include "stdin_repl/repl.hpp"

#include <fmt/format.h>

#include <string>

#include "vernal/error.hpp"

namespace vernal::stdin_repl {

void Repl::run() {
  const ModelInfo& model = chat_.model();
  screen_.note(fmt::format("{} ({}, {} tokens of context); /help lists the commands", model.id,
                           model.architecture, model.context_length));
  chat_.announce_model();
  for (;;) {
    const InputLine input = inputs_.read();
    hint_at_quit(input.kind == InputLine::Kind::kInterrupted);
    if (input.kind == InputLine::Kind::kInterrupted) continue;
    if (input.kind != InputLine::Kind::kLine) return;
    try {
      if (handle(input.text) == AfterCommand::kQuit) return;
    } catch (const Error& error) {
      screen_.error(error.what());
    }
  }
}

AfterCommand Repl::handle(std::string_view input) {
  if (input.find_first_not_of(" \t\n") == std::string_view::npos) return AfterCommand::kGoOn;
  if (input.starts_with("//")) {
    input.remove_prefix(1);
  } else if (input.starts_with('/')) {
    return run_command(input, chat_, screen_);
  }
  chat_.ask(std::string(input));
  return AfterCommand::kGoOn;
}

void Repl::hint_at_quit(bool is_interrupted) {
  num_interrupts_ = is_interrupted ? num_interrupts_ + 1 : 0;
  if (num_interrupts_ == 2) screen_.note("/quit or Ctrl-D ends the conversation");
}

}  // namespace vernal::stdin_repl

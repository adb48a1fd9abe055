#include "stdin_repl/repl.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "vernal/error.hpp"

namespace vernal::stdin_repl {

void Repl::run() {
  const ModelInfo& model = chat_.model();
  screen_.note(fmt::format("{} ({}, {} tokens of context); /help lists the commands", model.id,
                           model.architecture, model.context_length));
  chat_.announce_model();
  for (;;) {
    const Input input = inputs_.read();
    hint_at_quit(input.kind == InputLine::Kind::kInterrupted);
    if (input.kind == InputLine::Kind::kInterrupted) continue;
    if (input.kind != InputLine::Kind::kLine) return;
    try {
      if (handle(input) == AfterCommand::kQuit) return;
    } catch (const Error& error) {
      screen_.error(error.what());
    }
  }
}

AfterCommand Repl::handle(const Input& input) {
  std::string_view text = input.text;
  if (text.find_first_not_of(" \t\n") == std::string_view::npos) return AfterCommand::kGoOn;
  if (!input.is_literal && text.starts_with('/')) {
    if (!text.starts_with("//")) return run_command(text, chat_, screen_);
    text.remove_prefix(1);
  }
  chat_.ask(std::string(text));
  return AfterCommand::kGoOn;
}

void Repl::hint_at_quit(bool is_interrupted) {
  num_interrupts_ = is_interrupted ? num_interrupts_ + 1 : 0;
  if (num_interrupts_ == 2) screen_.note("/quit or Ctrl-D ends the conversation");
}

}  // namespace vernal::stdin_repl

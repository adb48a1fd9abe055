// The commands: lines that begin with a slash.
#pragma once

#include <span>
#include <string_view>

#include "stdin_repl/chat.hpp"
#include "stdin_repl/screen.hpp"

namespace vernal::stdin_repl {

enum class AfterCommand { kGoOn, kQuit };

struct Command {
  std::string_view name;       // without the slash
  std::string_view arguments;  // for /help
  std::string_view help;       // one sentence
  AfterCommand (*run)(Chat& chat, const Screen& screen, std::string_view argument);
};

/// All commands, in the order of /help.
std::span<const Command> commands() noexcept;

/// Runs "/name argument". Throws Error for an unknown name, with the nearest name, and if the
/// command fails.
AfterCommand run_command(std::string_view line, Chat& chat, const Screen& screen);

}  // namespace vernal::stdin_repl

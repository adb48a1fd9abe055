#include "stdin_repl/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "stdin_repl/nearest_name.hpp"
#include "vernal/error.hpp"

namespace vernal::stdin_repl {
namespace {

constexpr std::string_view kBlank = " \t\n";

// Takes the first word from `text`: "word the rest" gives "word" and leaves "the rest".
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(kBlank, end), text.size()));
  return word;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string_view required(std::string_view argument, std::string_view usage) {
  if (argument.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("expected {}", usage));
  }
  return argument;
}

AfterCommand help(Chat&, const Screen& screen, std::string_view) {
  std::size_t width = 0;
  std::vector<std::string> usages;
  for (const Command& command : commands()) {
    usages.push_back(fmt::format("/{} {}", command.name, command.arguments));
    width = std::max(width, usages.back().size());
  }
  for (std::size_t i = 0; i < usages.size(); ++i) {
    screen.line(fmt::format("{:<{}}  {}", usages[i], width, commands()[i].help));
  }
  screen.line(
      "A line that ends in \\ goes on in the next one; lines between two \"\"\" belong "
      "together; a first // stands for /.");
  screen.line("Ctrl-C stops an answer or forgets the line; Ctrl-D quits.");
  return AfterCommand::kGoOn;
}

AfterCommand model(Chat& chat, const Screen& screen, std::string_view name) {
  if (!name.empty()) {
    chat.change_model(name);
    screen.note(fmt::format("model {}", chat.model().id));
    chat.announce_model();
    return AfterCommand::kGoOn;
  }
  for (const ModelInfo& info : chat.models()) {
    const std::string_view mark = info.id == chat.model().id ? "*" : " ";
    screen.line(fmt::format("{} {}  {}, {} tokens of context", mark, info.id, info.architecture,
                            info.context_length));
  }
  return AfterCommand::kGoOn;
}

AfterCommand system(Chat& chat, const Screen& screen, std::string_view text) {
  std::string& current = chat.conversation().system;
  if (text == "none") {
    current.clear();
  } else if (!text.empty()) {
    current = text;
  }
  screen.note(current.empty() ? "no system message" : fmt::format("system message: {}", current));
  return AfterCommand::kGoOn;
}

AfterCommand clear(Chat& chat, const Screen& screen, std::string_view) {
  chat.conversation().messages.clear();
  screen.note("the conversation is empty");
  return AfterCommand::kGoOn;
}

AfterCommand save(Chat& chat, const Screen& screen, std::string_view path) {
  chat.conversation().save(required(path, "/save FILE"), chat.model().id);
  screen.note(fmt::format("saved {} messages to {}", chat.conversation().messages.size(), path));
  return AfterCommand::kGoOn;
}

AfterCommand load(Chat& chat, const Screen& screen, std::string_view path) {
  chat.conversation() = Conversation::load(required(path, "/load FILE"));
  screen.note(fmt::format("loaded {} messages", chat.conversation().messages.size()));
  return AfterCommand::kGoOn;
}

AfterCommand set(Chat& chat, const Screen& screen, std::string_view argument) {
  const std::string_view name = take_word(argument);
  if (name.empty()) {
    for (const std::string_view option : GenerationOptions::names()) {
      screen.line(fmt::format("{:<20}{:<10}{}", option, chat.options().value_of(option),
                              GenerationOptions::expectation(option)));
    }
    return AfterCommand::kGoOn;
  }
  if (!argument.empty()) chat.options().set(name, argument);
  screen.note(fmt::format("{} = {}", name, chat.options().value_of(name)));
  return AfterCommand::kGoOn;
}

AfterCommand stats(Chat& chat, const Screen& screen, std::string_view argument) {
  if (argument == "on" || argument == "off") {
    chat.show_stats_after_answers(argument == "on");
    return AfterCommand::kGoOn;
  }
  if (!argument.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("expected /stats, /stats on or /stats off; found \"{}\"", argument));
  }
  for (const std::string& line : chat.stats_lines()) screen.line(line);
  return AfterCommand::kGoOn;
}

AfterCommand regen(Chat& chat, const Screen&, std::string_view) {
  chat.regenerate();
  return AfterCommand::kGoOn;
}

AfterCommand quit(Chat&, const Screen&, std::string_view) { return AfterCommand::kQuit; }

constexpr std::array kCommands = {
    Command{"help", "", "Lists the commands.", help},
    Command{"model", "[NAME]", "Lists the models, or goes on with another one.", model},
    Command{"system", "[TEXT]", "Shows or changes the system message; \"none\" removes it.",
            system},
    Command{"clear", "", "Forgets the conversation, but for the system message.", clear},
    Command{"save", "FILE", "Writes the conversation to a JSON file.", save},
    Command{"load", "FILE", "Goes on with a conversation that was saved.", load},
    Command{"set", "[OPTION [VALUE]]",
            "Shows or changes how answers are generated; \"default\" as value takes it back.", set},
    Command{"stats", "[on|off]", "Shows speeds now, or after each answer.", stats},
    Command{"regen", "", "Answers the last question again.", regen},
    Command{"quit", "", "Ends the conversation.", quit},
};

}  // namespace

std::span<const Command> commands() noexcept { return kCommands; }

AfterCommand run_command(std::string_view line, Chat& chat, const Screen& screen) {
  line.remove_prefix(1);
  std::string_view argument = line;
  const std::string_view name = take_word(argument);
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(chat, screen, trimmed(argument));
    names.push_back(command.name);
  }
  const std::string_view nearest = nearest_name(name, names);
  throw Error(VERNAL_NOT_FOUND,
              nearest.empty()
                  ? fmt::format("there is no command /{}; /help lists them", name)
                  : fmt::format("there is no command /{}; did you mean /{}?", name, nearest));
}

}  // namespace vernal::stdin_repl

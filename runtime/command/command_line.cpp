#include "command/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "config/suggestion.hpp"

namespace vernal {
namespace {

constexpr int kUsageError = 2;

/// Names that may stand where `app` reads an argument.
std::vector<std::string_view> command_names(const CLI::App& app) {
  std::vector<std::string_view> names;
  for (const CLI::App* command : app.get_subcommands({})) names.emplace_back(command->get_name());
  return names;
}

/// Its options as they are written, "--model".
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

const CLI::App* find_command(const CLI::App& app, std::string_view name) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

}  // namespace

CommandLine::CommandLine(const std::string& version)
    : app_(
          "vernal runs large language models on the machine you own.\n"
          "One TOML file says which model, which backend, which frontends: "
          "docs/deployment-file.md") {
  app_.set_version_flag("--version", version);
  app_.require_subcommand(1);
}

CLI::App& CommandLine::add(const std::string& name, const std::string& help,
                           std::function<int()> run) {
  CLI::App* command = app_.add_subcommand(name, help);
  command->fallthrough(false);
  command->callback([this, run = std::move(run)] { chosen_ = run; });
  return *command;
}

int CommandLine::run(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string found = misspelling(app_, argc, argv);
    if (error.get_exit_code() == 0 || found.empty()) return app_.exit(error) == 0 ? 0 : kUsageError;
    fmt::print(stderr, "vernal: {}\nRun with --help for more information.\n", found);
    return kUsageError;
  }
  try {
    return chosen_();
  } catch (const std::exception& error) {
    return report_failure(error);
  }
}

int report_failure(const std::exception& error) noexcept {
  const bool no_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  std::fflush(stdout);
  std::fputs("vernal: ", stderr);
  std::fputs(no_memory ? "out of memory" : error.what(), stderr);
  std::fputc('\n', stderr);
  return 1;
}

void add_deployment_file(CLI::App& command, std::filesystem::path& file) {
  command.add_option("FILE", file, "deployment file (TOML)")->required();
}

std::string misspelling(const CLI::App& app, int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return {};
  const std::string_view name = argv[1];
  const CLI::App* command = find_command(app, name);
  if (command == nullptr) {
    return fmt::format("unknown command \"{}\"{}", name, did_you_mean(name, command_names(app)));
  }
  const std::vector<std::string> known = option_names(*command);  // keeps the text alive
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::string_view option = argument.substr(0, argument.find('='));
    if (!option.starts_with("--") || option == "--") continue;
    if (std::find(known.begin(), known.end(), option) != known.end()) continue;
    return fmt::format("{}: unknown option \"{}\"{}", name, option,
                       did_you_mean(option, candidates));
  }
  return {};
}

}  // namespace vernal

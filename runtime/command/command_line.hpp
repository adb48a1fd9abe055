// The command line of `vernal`: subcommands with their arguments, and what runs the chosen one.
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>

namespace vernal {

/// Commands add themselves (commands.hpp), then run() reads the arguments of the process. Control
/// thread.
class CommandLine {
 public:
  /// `version` is what --version prints.
  explicit CommandLine(const std::string& version);

  /// Adds a command. The result takes its arguments. `run` is called if it was chosen, after all
  /// arguments have been read, and returns the exit status.
  CLI::App& add(const std::string& name, const std::string& help, std::function<int()> run);

  /// Runs the chosen command.
  /// Returns   its exit status; 1, with a message on standard error, if it throws; 2, with a message,
  ///           if the arguments are wrong
  int run(int argc, const char* const* argv);

 private:
  CLI::App app_;
  std::function<int()> chosen_;
};

/// Writes the one message of a command that failed to standard error, and returns the exit status.
/// Allocates nothing, because memory may be what the command lacked.
int report_failure(const std::exception& error) noexcept;

/// The argument FILE of commands that read a deployment.
void add_deployment_file(CLI::App& command, std::filesystem::path& file);

/// What is wrong with the arguments that `app` refused, if a name among them is misspelt:
/// `unknown command "serv"; did you mean "serve"?`. Empty: no name is.
std::string misspelling(const CLI::App& app, int argc, const char* const* argv);

}  // namespace vernal

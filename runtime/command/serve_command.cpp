#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "serving/server.hpp"

namespace vernal {
namespace {

struct ServeArguments {
  std::filesystem::path file;
  bool only_console = false;  // the frontends are replaced by the console
  std::string model;          // of the console; empty: the first
};

int serve(const ServeArguments& arguments) {
  ControlSignals signals;
  Log log(LogLevel::kInfo);
  OpenDeployment open(arguments.file, log);
  if (arguments.only_console) open.replace_frontends_by_console(arguments.model);
  Server server(open, signals);
  server.start_frontends();
  if (!server.load()) return 0;
  server.start_consoles();
  return server.run();
}

}  // namespace

void add_serve_command(CommandLine& line) {
  const auto arguments = std::make_shared<ServeArguments>();
  CLI::App& command = line.add("serve", "Load the models and serve until SIGTERM",
                               [arguments] { return serve(*arguments); });
  add_deployment_file(command, arguments->file);
}

void add_chat_command(CommandLine& line) {
  const auto arguments = std::make_shared<ServeArguments>();
  arguments->only_console = true;
  CLI::App& command = line.add("chat", "Talk with a model of the deployment at this console",
                               [arguments] { return serve(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option("-m,--model", arguments->model, "model or profile; default: the first");
}

}  // namespace vernal

#include "command/commands.hpp"
#include "serving/server.hpp"

namespace vernal {

int command_serve(const ServeArguments& arguments, ControlSignals& signals) {
  Log log(LogLevel::kInfo);
  OpenDeployment open(arguments.file, log);
  if (arguments.only_console) open.replace_frontends_by_console(arguments.model);
  Server server(open, signals);
  server.start_frontends();
  if (!server.load()) return 0;
  server.start_consoles();
  return server.run();
}

}  // namespace vernal

// The program: its commands in the order in which --help lists them.
#include <exception>

#include "command/command_line.hpp"
#include "command/commands.hpp"

int main(int argc, char** argv) try {
  vernal::CommandLine line("vernal " VERNAL_VERSION ", plugin interface " VERNAL_INTERFACE_VERSION);
  vernal::add_serve_command(line);
  vernal::add_check_command(line);
  vernal::add_plan_command(line);
  vernal::add_run_command(line);
  vernal::add_chat_command(line);
  vernal::add_bench_command(line);
  vernal::add_perplexity_command(line);
  vernal::add_kvcheck_command(line);
  vernal::add_inspect_command(line);
  vernal::add_make_model_command(line);
  vernal::add_plugins_command(line);
  return line.run(argc, argv);
} catch (const std::exception& error) {
  return vernal::report_failure(error);
}

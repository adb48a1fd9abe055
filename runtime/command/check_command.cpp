#include <fmt/format.h>

#include <string>
#include <string_view>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {
namespace {

struct CheckArguments {
  std::filesystem::path file;
};

std::string count_text(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

int check(const CheckArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.prepare();
  const Deployment& deployment = open.deployment();
  fmt::print("{}: sound; {}, {}, {}, {}\n", arguments.file.string(),
             count_text(deployment.backends.size(), "backend"),
             count_text(deployment.models.size(), "model"),
             count_text(deployment.profiles.size(), "profile"),
             count_text(deployment.frontends.size(), "frontend"));
  for (const std::string& name : open.unchecked_frontends()) {
    fmt::print("[frontends.{}]: not checked, for its plugin offers no check (interface 1.1)\n",
               name);
  }
  fmt::print(
      "left for the start: whether addresses are free, and whether the weights can be read\n");
  return 0;
}

}  // namespace

void add_check_command(CommandLine& line) {
  const auto arguments = std::make_shared<CheckArguments>();
  CLI::App& command = line.add("check", "Validate a deployment without loading weights",
                               [arguments] { return check(*arguments); });
  add_deployment_file(command, arguments->file);
}

}  // namespace vernal

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "command/commands.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {
namespace {

std::string count_text(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

int command_check(const CheckArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.plan_models();
  const Deployment& deployment = open.deployment();
  fmt::print("{}: sound; {}, {}, {}, {}\n", arguments.file.string(),
             count_text(deployment.backends.size(), "backend"),
             count_text(deployment.models.size(), "model"),
             count_text(deployment.profiles.size(), "profile"),
             count_text(deployment.frontends.size(), "frontend"));
  return 0;
}

}  // namespace vernal

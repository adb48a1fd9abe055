#include <fmt/format.h>

#include "command/commands.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {

int command_check(const CheckArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.plan_models();
  const Deployment& deployment = open.deployment();
  fmt::print("{}: sound; {} backends, {} models, {} profiles, {} frontends\n",
             arguments.file.string(), deployment.backends.size(), deployment.models.size(),
             deployment.profiles.size(), deployment.frontends.size());
  return 0;
}

}  // namespace vernal

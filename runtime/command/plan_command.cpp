#include <fmt/format.h>

#include "command/commands.hpp"
#include "command/memory_table.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {

int command_plan(const PlanArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  open.plan_models();
  if (arguments.json) {
    boost::json::array models;
    for (const auto& model : open.models()) models.push_back(memory_json(*model));
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"models", std::move(models)}}));
    return 0;
  }
  for (const auto& model : open.models()) fmt::print("{}\n", memory_table(*model));
  return 0;
}

}  // namespace vernal

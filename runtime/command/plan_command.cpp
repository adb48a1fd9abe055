#include <fmt/format.h>

#include <string>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/memory_table.hpp"
#include "config/units.hpp"
#include "loading/open_deployment.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct PlanArguments {
  std::filesystem::path file;
  std::uint64_t device_memory = 0;  // bytes; 0: what devices say
  bool json = false;
};

int plan(const PlanArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  if (arguments.device_memory != 0) open.assume_device_memory(arguments.device_memory);
  open.price_models();
  std::vector<const ResidentModel*> all;
  for (const auto& model : open.models()) all.push_back(model.get());
  const std::optional<MemoryShortage> shortage = open.find_shortage(all);
  const auto device_problems = open.device_problems(all);
  if (arguments.json) {
    boost::json::array models;
    for (const auto& model : open.models()) models.push_back(memory_json(*model));
    boost::json::object document{{"models", std::move(models)}, {"fits", !shortage}};
    if (shortage) document["shortage"] = shortage_json(*shortage);
    boost::json::array unavailable;
    for (const auto& [backend, reason] : device_problems) {
      unavailable.push_back({{"backend", backend->name}, {"reason", reason}});
    }
    if (!unavailable.empty()) document["unavailable"] = std::move(unavailable);
    fmt::print("{}\n", boost::json::serialize(document));
    return 0;
  }
  for (const auto& model : open.models()) fmt::print("{}\n", memory_table(*model));
  if (shortage) fmt::print("does not fit: {}\n", shortage->text());
  for (const auto& [backend, reason] : device_problems) {
    fmt::print("[backends.{}] cannot run on this machine now: {}\n", backend->name, reason);
  }
  return 0;
}

}  // namespace

void add_plan_command(CommandLine& line) {
  const auto arguments = std::make_shared<PlanArguments>();
  CLI::App& command = line.add("plan", "Price weights, KV cache and scratch from file headers",
                               [arguments] { return plan(*arguments); });
  add_deployment_file(command, arguments->file);
  command.add_option_function<std::string>(
      "--device-memory",
      [arguments](const std::string& text) {
        try {
          arguments->device_memory = parse_size(text);
        } catch (const Error& error) {
          throw CLI::ValidationError("--device-memory", error.what());
        }
      },
      "memory of each device, \"15929MiB\", instead of what this machine has");
  command.add_flag("--json", arguments->json, "print JSON");
}

}  // namespace vernal

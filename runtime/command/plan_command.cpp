#include <fmt/format.h>

#include <string>

#include "command/command_line.hpp"
#include "command/commands.hpp"
#include "command/memory_table.hpp"
#include "config/units.hpp"
#include "loading/open_deployment.hpp"
#include "loading/process_memory.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

struct PlanArguments {
  std::filesystem::path file;
  std::uint64_t device_memory = 0;  // bytes; 0: what devices say
  bool json = false;
};

/// What `vernal plan` found.
struct Found {
  std::vector<const ResidentModel*> models;
  std::vector<std::optional<std::uint64_t>> largest_contexts;  // of each model
  std::optional<MemoryShortage> shortage;
  std::vector<OpenDeployment::DeviceProblem> device_problems;
  std::vector<OpenDeployment::BackendText> backends;
  ProcessMemory process;
};

Found examine(OpenDeployment& open) {
  Found found;
  for (const auto& model : open.models()) found.models.push_back(model.get());
  for (const ResidentModel* model : found.models) {
    found.largest_contexts.push_back(open.find_largest_context(found.models, *model));
  }
  found.shortage = open.find_shortage(found.models);
  found.device_problems = open.device_problems(found.models);
  found.backends = open.describe_backends();
  std::vector<ResidentModel*> models;
  for (const auto& model : open.models()) models.push_back(model.get());
  found.process = measure_process_memory(models);
  return found;
}

void print_json(const Found& found) {
  boost::json::array models;
  for (std::size_t i = 0; i < found.models.size(); ++i) {
    boost::json::object model = memory_json(*found.models[i]);
    if (const auto largest = found.largest_contexts[i]) model["largest_context_length"] = *largest;
    models.push_back(std::move(model));
  }
  boost::json::object backends;
  for (const auto& [backend, text] : found.backends) backends[backend] = text;
  boost::json::object document{{"models", std::move(models)},
                               {"backends", std::move(backends)},
                               {"fits", !found.shortage},
                               {"process", process_json(found.models, found.process)}};
  if (found.shortage) document["shortage"] = shortage_json(*found.shortage);
  boost::json::array unavailable;
  for (const auto& [backend, reason] : found.device_problems) {
    unavailable.push_back({{"backend", backend->name}, {"reason", reason}});
  }
  if (!unavailable.empty()) document["unavailable"] = std::move(unavailable);
  fmt::print("{}\n", boost::json::serialize(document));
}

void print_text(const Found& found) {
  for (std::size_t i = 0; i < found.models.size(); ++i) {
    fmt::print("{}", memory_table(*found.models[i]));
    if (const auto largest = found.largest_contexts[i]) {
      fmt::print("  the largest context_length that fits: {}\n", *largest);
    }
    fmt::print("\n");
  }
  fmt::print("{}\n", process_table(found.models, found.process));
  for (const auto& [backend, text] : found.backends) {
    fmt::print("[backends.{}]: {}\n", backend, text);
  }
  if (found.shortage) fmt::print("does not fit: {}\n", found.shortage->text());
  for (const auto& [backend, reason] : found.device_problems) {
    fmt::print("[backends.{}] cannot run on this machine now: {}\n", backend->name, reason);
  }
}

int plan(const PlanArguments& arguments) {
  Log log(LogLevel::kWarning);
  OpenDeployment open(arguments.file, log);
  if (arguments.device_memory != 0) open.assume_device_memory(arguments.device_memory);
  open.price_models();
  const Found found = examine(open);
  arguments.json ? print_json(found) : print_text(found);
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

#include "serving/model_host.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "loading/process_memory.hpp"
#include "observe/progress_line.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

RequestDefaults defaults_of(const SamplingOptions& sampling, const std::string& thinking) {
  RequestDefaults defaults;
  defaults.sampling = sampling;
  defaults.thinking = thinking;
  return defaults;
}

MessagePolicy policy_of(const ModelSettings& model) {
  MessagePolicy policy;
  if (model.repair_messages == "always") policy.repair = RepairMessages::kAlways;
  if (model.repair_messages == "never") policy.repair = RepairMessages::kNever;
  if (model.late_system == "first") policy.late_system = LateSystem::kFirst;
  return policy;
}

ModelDescription describe(const ResidentModel& model) {
  ModelDescription out;
  out.id = model.settings().name;
  out.architecture = model.architecture();
  out.description = model.description();
  out.context_length = model.context_length();
  out.aliases = model.settings().aliases;
  out.num_slots = model.settings().slots;
  return out;
}

// "memory of cpu: 12.50 MiB planned, 12.50 MiB allocated", for each device.
void report_memory(OpenDeployment& open, const ResidentModel& model, Engine& engine) {
  constexpr double kMiB = 1 << 20;
  const std::string& name = model.settings().name;
  std::vector<MemoryUse> memory = model.memory_use();
  for (const MemoryUse& use : memory) {
    open.log().info("model " + name, "memory of {}: {:.2f} MiB planned, {:.2f} MiB allocated",
                    use.device, static_cast<double>(use.planned) / kMiB,
                    static_cast<double>(use.allocated) / kMiB);
  }
  engine.report_memory(name, std::move(memory));
}

}  // namespace

void declare_models(const OpenDeployment& open, Engine& engine) {
  for (const auto& model : open.models()) {
    const ModelSettings& settings = model->settings();
    RequestDefaults defaults = defaults_of(settings.sampling, settings.thinking);
    defaults.message_policy = policy_of(settings);
    engine.declare_model(describe(*model), std::move(defaults));
  }
  for (const ProfileSettings& profile : open.deployment().profiles) {
    RequestDefaults defaults = defaults_of(profile.sampling, profile.thinking);
    if (profile.max_draft_tokens) {
      defaults.max_draft_tokens = static_cast<std::uint32_t>(*profile.max_draft_tokens);
    }
    for (const auto& model : open.models()) {
      if (model->settings().name == profile.model) {
        defaults.message_policy = policy_of(model->settings());
      }
    }
    engine.declare_profile(profile.name, profile.model, std::move(defaults), profile.aliases);
  }
}

void load_models(OpenDeployment& open, Engine& engine, const std::function<bool()>& should_stop) {
  for (const auto& model : open.models()) {
    const std::string& name = model->settings().name;
    try {
      const auto begin = std::chrono::steady_clock::now();
      ProgressLine progress(open.log(), "loading " + name);
      LoadedModel loaded = model->load([&](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
        return !should_stop();
      });
      for (const std::string& warning : model->load_warnings()) {
        open.log().warning("model " + name, "{}", warning);
      }
      engine.start_model(std::move(loaded));
      release_freed_memory();  // of reading the vocabulary
      report_memory(open, *model, engine);
      const auto spent = std::chrono::steady_clock::now() - begin;
      open.log().info("model " + name, "ready after {:.2f} s, context length {}",
                      std::chrono::duration<double>(spent).count(), model->context_length());
    } catch (const Error& error) {
      engine.fail_model(name, error.what());
      throw Error(error.code(), fmt::format("{}: [models.{}]: {}", model->settings().place.text(),
                                            name, error.what()));
    }
  }
}

}  // namespace vernal

#include "loading/open_deployment.hpp"

#include <fmt/format.h>

#include "loading/plugin_set.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

/// Runs one thing for a model; what goes wrong becomes a problem at the model's place.
template <class F>
void collect(const ModelSettings& settings, Problems& problems, F&& f) {
  try {
    f();
  } catch (const Error& error) {
    problems.add(settings.path_place, fmt::format("[models.{}]: {}", settings.name, error.what()));
  }
}

}  // namespace

OpenDeployment::OpenDeployment(const std::filesystem::path& file, Log& log)
    : log_(log), host_(log) {
  deployment_ = read_deployment(file, [&](const RuntimeSettings& runtime) {
    log_.set_level(parse_log_level(runtime.log_level).value_or(LogLevel::kInfo));
    log_.set_format(parse_log_format(runtime.log_format).value_or(LogFormat::kText));
    plugin::RegistryOptions options;
    options.require_secure_paths = runtime.require_secure_paths;
    registry_ = std::make_unique<plugin::PluginRegistry>(host_, plugin_folders(runtime), options);
    return std::make_unique<RegistrySchemas>(*registry_);
  });
}

OpenDeployment::~OpenDeployment() {
  models_.clear();
  backends_.clear();
  if (registry_) registry_->shutdown_all();
}

void OpenDeployment::replace_frontends_by_console(const std::string& model) {
  const std::string& name = model.empty() ? deployment_.models.front().name : model;
  RegistrySchemas schemas(*registry_);
  deployment_.frontends = {make_frontend(deployment_, "console", "stdin_repl", name, schemas)};
}

void OpenDeployment::plan_models() {
  Problems problems;
  open_libraries(problems);
  registry_->init_all();
  for (const PluginInstance& instance : deployment_.backends) {
    const plugin::PluginLibrary& library = registry_->open(instance.plugin, VERNAL_KIND_BACKEND);
    backends_.push_back(std::make_unique<plugin::BackendInstance>(library.backend(), instance.name,
                                                                  config_view(instance.settings)));
  }
  for (const auto& model : models_) {
    collect(model->settings(), problems, [&] { plan_model(*model); });
  }
  problems.raise();
}

// All before any is initialised: opening a library after a device was touched has deadlocked
// elsewhere.
void OpenDeployment::open_libraries(Problems& problems) {
  for (const PluginInstance& instance : deployment_.backends) {
    registry_->open(instance.plugin, VERNAL_KIND_BACKEND);
  }
  for (const PluginInstance& instance : deployment_.frontends) {
    registry_->open(instance.plugin, VERNAL_KIND_FRONTEND);
  }
  for (const ModelSettings& settings : deployment_.models) {
    collect(settings, problems,
            [&] { models_.push_back(std::make_unique<ResidentModel>(settings, *registry_)); });
  }
}

void OpenDeployment::plan_model(ResidentModel& model) {
  if (model.trained_context_length() != 0 &&
      model.context_length() > model.trained_context_length()) {
    log_.warning("model " + model.settings().name,
                 "context_length {} is above the {} the file was trained for",
                 model.context_length(), model.trained_context_length());
  }
  model.build();
  std::vector<const plugin::BackendInstance*> backends;
  for (const ModelSegment& segment : model.segments()) {
    backends.push_back(find_backend(segment.backend));
  }
  model.plan(backends);
  for (const std::string& remark : model.remarks()) {
    log_.warning("model " + model.settings().name, "{}", remark);
  }
}

std::unique_ptr<ResidentModel> OpenDeployment::plan_again(const ModelSettings& settings) {
  auto model = std::make_unique<ResidentModel>(settings, *registry_);
  plan_model(*model);
  return model;
}

const plugin::BackendInstance* OpenDeployment::find_backend(const std::string& name) const {
  for (std::size_t i = 0; i < deployment_.backends.size(); ++i) {
    if (deployment_.backends[i].name == name) return backends_.at(i).get();
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("there is no [backends.{}]", name));
}

ResidentModel& OpenDeployment::model(const std::string& name) {
  if (name.empty() && !models_.empty()) return *models_.front();
  for (const auto& model : models_) {
    if (model->settings().name == name) return *model;
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("the deployment has no model \"{}\"", name));
}

}  // namespace vernal

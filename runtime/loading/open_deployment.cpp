#include "loading/open_deployment.hpp"

#include <fmt/format.h>

#include "loading/plugin_set.hpp"
#include "vernal/error.hpp"

namespace vernal {

OpenDeployment::OpenDeployment(const std::filesystem::path& file, Log& log)
    : log_(log), host_(log) {
  deployment_ = read_deployment(file, [&](const RuntimeSettings& runtime) {
    log_.set_level(parse_log_level(runtime.log_level).value_or(LogLevel::kInfo));
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

void OpenDeployment::open_backends() {
  registry_->init_all();
  for (const PluginInstance& instance : deployment_.backends) {
    const plugin::PluginLibrary& library = registry_->open(instance.plugin, VERNAL_KIND_BACKEND);
    backends_.push_back(std::make_unique<plugin::BackendInstance>(library.backend(), instance.name,
                                                                  config_view(instance.settings)));
  }
}

const plugin::BackendInstance& OpenDeployment::backend_of(const ModelSettings& model) const {
  if (model.layers.size() != 1) {
    throw Error(
        VERNAL_UNSUPPORTED,
        "a model over several backends (\"layers\") is not supported by this version; write "
        "backend = \"NAME\"");
  }
  for (std::size_t i = 0; i < deployment_.backends.size(); ++i) {
    if (deployment_.backends[i].name == model.layers[0].backend) return *backends_.at(i);
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("there is no [backends.{}]", model.layers[0].backend));
}

void OpenDeployment::plan_models() {
  Problems problems;
  for (const ModelSettings& settings : deployment_.models) {
    try {
      const plugin::BackendInstance& backend = backend_of(settings);
      auto model = std::make_unique<ResidentModel>(settings, *registry_);
      if (model->trained_context_length() != 0 &&
          model->context_length() > model->trained_context_length()) {
        log_.warning("model " + settings.name,
                     "context_length {} is above the {} the file was trained for",
                     model->context_length(), model->trained_context_length());
      }
      model->plan(backend);
      models_.push_back(std::move(model));
    } catch (const Error& error) {
      problems.add(settings.path_place,
                   fmt::format("[models.{}]: {}", settings.name, error.what()));
    }
  }
  problems.raise();
}

ResidentModel& OpenDeployment::model(const std::string& name) {
  if (name.empty() && !models_.empty()) return *models_.front();
  for (const auto& model : models_) {
    if (model->settings().name == name) return *model;
  }
  throw Error(VERNAL_NOT_FOUND, fmt::format("the deployment has no model \"{}\"", name));
}

}  // namespace vernal

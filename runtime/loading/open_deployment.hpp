// A deployment that was read, with its plugins opened: what every command of `vernal` begins with.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "loading/resident_model.hpp"
#include "observe/log.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/core_host.hpp"
#include "plugin/plugin_registry.hpp"

namespace vernal {

/// Control thread. Members are destroyed in the order that plugins need: models, backends,
/// registry.
class OpenDeployment {
 public:
  /// Reads and validates `file`; opens the plugins it names. `log` outlives the object; its level
  /// and format become the file's. Errors  all problems of the file in one Error (read_deployment).
  OpenDeployment(const std::filesystem::path& file, Log& log);
  ~OpenDeployment();
  OpenDeployment(const OpenDeployment&) = delete;
  OpenDeployment& operator=(const OpenDeployment&) = delete;

  const Deployment& deployment() const noexcept { return deployment_; }
  plugin::CoreHost& host() noexcept { return host_; }
  plugin::PluginRegistry& registry() noexcept { return *registry_; }
  Log& log() noexcept { return log_; }

  /// Puts one stdin_repl in the place of all frontends. Before a server is made.
  ///   model   a model or profile of the file; empty: the first model
  /// Errors  NOT_FOUND: no such model, or no such plugin.
  void replace_frontends_by_console(const std::string& model);
  /// Opens and initialises all plugins, opens every [backends.NAME], describes and prices every
  /// model.
  /// Errors  one Error with the problems of all models, each with its place in the file.
  void plan_models();

  /// All that `vernal serve` does before it binds an address or loads a weight: plan_models(), the
  /// text side of every model, and every frontend's own check of its table. `vernal check` does the
  /// same and nothing more, so that the two agree. Warnings go to the log.
  ///   serves   whether frontends are needed; `vernal run` answers without them
  /// Errors  one Error with everything wrong, each with its place in the file
  void prepare(bool serves = true);
  /// After prepare(): frontends whose plugin does not check its table.
  const std::vector<std::string>& unchecked_frontends() const noexcept {
    return unchecked_frontends_;
  }

  /// Describes and prices a model once more, with other settings than the file's. After
  /// plan_models(); the result is destroyed before this object.
  /// Errors  those of ResidentModel
  std::unique_ptr<ResidentModel> plan_again(const ModelSettings& settings);

  const std::vector<std::unique_ptr<ResidentModel>>& models() const noexcept { return models_; }
  /// Errors  NOT_FOUND: no model of that name; empty: the first.
  ResidentModel& model(const std::string& name);

 private:
  void plan_models(Problems& problems);
  void open_libraries(Problems& problems);
  void open_backends();
  void plan_model(ResidentModel& model);
  void read_text(ResidentModel& model);
  void check_frontends(Problems& problems);
  const plugin::BackendInstance* find_backend(const std::string& name) const;

  Log& log_;
  plugin::CoreHost host_;
  std::unique_ptr<plugin::PluginRegistry> registry_;
  Deployment deployment_;
  std::vector<std::unique_ptr<plugin::BackendInstance>> backends_;
  std::vector<std::unique_ptr<ResidentModel>> models_;
  std::vector<std::string> unchecked_frontends_;
};

}  // namespace vernal

// A deployment that was read, with its plugins opened: what every command of `vernal` begins with.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "loading/memory_verdict.hpp"
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
  /// Reads and validates `file`, and opens the plugins it names. `log` outlives the object. Its level
  /// and format become the file's.
  /// Errors  all problems of the file in one Error (read_deployment).
  OpenDeployment(const std::filesystem::path& file, Log& log);
  ~OpenDeployment();
  OpenDeployment(const OpenDeployment&) = delete;
  OpenDeployment& operator=(const OpenDeployment&) = delete;

  const Deployment& deployment() const noexcept { return deployment_; }
  /// Whether a frontend talks with people at the terminal, by the manifest of its plugin.
  bool is_console(const PluginInstance& frontend);
  plugin::CoreHost& host() noexcept { return host_; }
  plugin::PluginRegistry& registry() noexcept { return *registry_; }
  Log& log() noexcept { return log_; }

  /// Puts one console in the place of all frontends: the plugin of one of them, or the only plugin
  /// that can be a console. Before a server is made.
  ///   model   a model or profile of the file; empty: the first model
  /// Errors  NOT_FOUND: no such model, or no such plugin; INVALID_ARGUMENT: several such plugins.
  void replace_frontends_by_console(const std::string& model);
  /// Opens and initialises all plugins, opens every [backends.NAME], describes and prices every
  /// model. Nobody asks whether there is memory for them.
  /// Errors  one Error with the problems of all models, each with its place in the file.
  void price_models();
  /// price_models(), then require_memory() for all models together.
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

  /// Describes and prices a model of the file once more, with other settings. After price_models();
  /// the result is destroyed before this object.
  /// Errors  those of ResidentModel
  std::unique_ptr<ResidentModel> plan_again(const ModelSettings& settings);

  /// Threads or multiprocessors of the device that runs the model's first layers, as its backend
  /// lists it; 0: it lists none. After plan_models().
  std::uint32_t num_workers(const ModelSettings& model);

  /// Every device but the host counts as having so many bytes from now on, whether or not this
  /// machine has it.
  void assume_device_memory(std::uint64_t bytes) noexcept { assumed_device_memory_ = bytes; }
  /// Whether the models, loaded together, exceed the memory. After price_models().
  std::optional<MemoryShortage> find_shortage(std::span<const ResidentModel* const> models);
  /// The greatest context_length of one of `models` with which all of them fit (memory_verdict.hpp).
  /// After price_models().
  std::optional<std::uint64_t> find_largest_context(std::span<const ResidentModel* const> models,
                                                    const ResidentModel& model);
  /// A [backends.NAME] whose device cannot be used on this machine, and why in one sentence.
  struct DeviceProblem {
    const PluginInstance* backend;
    std::string reason;
  };
  /// The backends of these models that cannot be used now. After price_models().
  std::vector<DeviceProblem> device_problems(std::span<const ResidentModel* const> models) const;

  /// What a [backends.NAME] computes with, in one line of its own words.
  struct BackendText {
    std::string backend;
    std::string text;
  };
  /// Those that tell, in the order of the file. After price_models().
  std::vector<BackendText> describe_backends() const;

  /// Refuses models on devices that cannot be used, models that together exceed the memory, unless
  /// the deployment says `overcommit`, and models whose memory has to be locked and cannot be. Warns
  /// if other processes hold the memory that the models need, and says where layers were put. Called before anything is loaded.
  /// Errors  UNAVAILABLE: the device problems, each with its place in the file;
  ///         RESOURCE_EXHAUSTED: the text of MemoryShortage; those of require_lockable
  void require_memory(std::span<const ResidentModel* const> models);

  const std::vector<std::unique_ptr<ResidentModel>>& models() const noexcept { return models_; }
  /// Errors  NOT_FOUND: no model of that name; empty: the first.
  ResidentModel& model(const std::string& name);

 private:
  void plan_models(Problems& problems);
  void open_libraries(Problems& problems);
  void open_backends();
  void plan_model(ResidentModel& model);
  void price(ResidentModel& model);
  std::optional<std::uint64_t> room_beside(const ResidentModel& model, const std::string& device);
  std::unique_ptr<ResidentModel> make_again(const ModelSettings& settings);
  std::vector<DeviceInfo> devices();
  MemoryQuestion memory_question(std::span<const ResidentModel* const> models);
  void require_memory_of_all();
  void require_devices(std::span<const ResidentModel* const> models) const;
  void warn_if_crowded(std::span<const ResidentModel* const> models);
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
  std::uint64_t assumed_device_memory_ = 0;  // 0: what devices say
  // Free when the first model was fitted, so that every plan of this process has the same answer.
  std::optional<std::vector<DeviceInfo>> devices_at_first_;
};

}  // namespace vernal

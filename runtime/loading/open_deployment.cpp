#include "loading/open_deployment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "config/units.hpp"
#include "loading/layer_fit.hpp"
#include "loading/memory_lock.hpp"
#include "loading/plugin_set.hpp"
#include "plugin/frontend_client.hpp"
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

/// A plugin's text may begin with the place of a key, as its view of the table gives it; then that
/// is the problem's place, else the table's.
void add_plugin_problem(const PluginInstance& instance, std::string_view text, Problems& problems) {
  SourcePlace place = instance.place;
  const std::string file = place.file + ":";
  unsigned line = 0;
  unsigned column = 0;
  int size = 0;
  if (text.starts_with(file)) {
    const std::string rest(text.substr(file.size()));
    if (std::sscanf(rest.c_str(), "%u:%u: %n", &line, &column, &size) == 2 && size > 0) {
      place.line = line;
      place.column = column;
      text.remove_prefix(file.size() + static_cast<std::size_t>(size));
    }
  }
  problems.add(place, fmt::format("[frontends.{}]: {}", instance.name, text));
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
  const auto own = std::ranges::find_if(
      deployment_.frontends, [&](const PluginInstance& frontend) { return is_console(frontend); });
  const std::string plugin =
      own != deployment_.frontends.end()
          ? own->plugin
          : registry_->find_capable(plugin::kConsoleCapability, VERNAL_KIND_FRONTEND);
  RegistrySchemas schemas(*registry_);
  deployment_.frontends = {make_frontend(deployment_, "console", plugin, name, schemas)};
}

bool OpenDeployment::is_console(const PluginInstance& frontend) {
  return registry_->open(frontend.plugin, VERNAL_KIND_FRONTEND)
      .manifest()
      .has_capability(plugin::kConsoleCapability);
}

std::uint32_t OpenDeployment::num_workers(const ModelSettings& model) {
  for (const PluginInstance& backend : deployment_.backends) {
    if (backend.name != model.layers.front().backend) continue;
    const plugin::PluginLibrary& library = registry_->open(backend.plugin, VERNAL_KIND_BACKEND);
    const std::vector<DeviceInfo> devices = plugin::BackendInstance::devices(library.backend());
    return devices.empty() ? 0 : static_cast<std::uint32_t>(devices.front().num_workers);
  }
  return 0;
}

void OpenDeployment::price_models() {
  Problems problems;
  plan_models(problems);
  problems.raise();
}

void OpenDeployment::prepare(bool serves) {
  Problems problems;
  plan_models(problems);
  for (const auto& model : models_) {
    collect(model->settings(), problems, [&] { read_text(*model); });
  }
  if (serves) check_frontends(problems);
  problems.raise();
  require_memory_of_all();
}

void OpenDeployment::plan_models(Problems& problems) {
  open_libraries(problems);
  registry_->init_all();
  open_backends();
  // Those that take what is left come last.
  for (const bool is_fitted : {false, true}) {
    for (const auto& model : models_) {
      if (model->settings().fit.has_value() != is_fitted) continue;
      collect(model->settings(), problems, [&] { plan_model(*model); });
    }
  }
}

void OpenDeployment::open_backends() {
  Problems problems;
  for (const PluginInstance& instance : deployment_.backends) {
    const plugin::PluginLibrary& library = registry_->open(instance.plugin, VERNAL_KIND_BACKEND);
    try {
      backends_.push_back(std::make_unique<plugin::BackendInstance>(
          library.backend(), instance.name, config_view(instance.settings)));
    } catch (const Error& error) {
      problems.add(instance.place, error.what());
    }
  }
  problems.raise();  // without its backend no model can be planned
}

void OpenDeployment::plan_models() {
  price_models();
  require_memory_of_all();
}

void OpenDeployment::require_memory_of_all() {
  std::vector<const ResidentModel*> all;
  for (const auto& model : models_) all.push_back(model.get());
  require_memory(all);
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
  price(model);
  for (const std::string& remark : model.remarks()) {
    log_.warning("model " + model.settings().name, "{}", remark);
  }
}

void OpenDeployment::price(ResidentModel& model) {
  const auto plan = [&] {
    model.build();
    std::vector<const plugin::BackendInstance*> backends;
    for (const ModelSegment& segment : model.segments()) {
      backends.push_back(find_backend(segment.backend));
    }
    model.plan(backends);
  };
  if (!model.settings().fit) return plan();
  fit_layers(model, {plan, [&](const std::string& device) { return room_beside(model, device); }});
}

/// What a device has free, less what the other models take.
std::optional<std::uint64_t> OpenDeployment::room_beside(const ResidentModel& model,
                                                         const std::string& device) {
  std::uint64_t room = assumed_device_memory_;
  if (room == 0) {
    if (!devices_at_first_) devices_at_first_ = devices();
    const auto found = std::ranges::find(*devices_at_first_, device, &DeviceInfo::name);
    if (found == devices_at_first_->end() || found->total_bytes == 0) return std::nullopt;
    room = found->free_bytes != 0 ? found->free_bytes : found->total_bytes;
  }
  for (const auto& other : models_) {
    if (other->settings().name == model.settings().name || !other->is_planned()) continue;
    room -= std::min(room, bytes_on(other->rows(), device));
  }
  return room;
}

std::unique_ptr<ResidentModel> OpenDeployment::make_again(const ModelSettings& settings) {
  return std::make_unique<ResidentModel>(settings, *registry_, model(settings.name).shared_file());
}

void OpenDeployment::read_text(ResidentModel& model) {
  model.read_text();
  for (const std::string& warning : model.text_warnings()) {
    log_.warning("model " + model.settings().name, "{}", warning);
  }
}

void OpenDeployment::check_frontends(Problems& problems) {
  const std::string file = deployment_.file.string();
  if (deployment_.frontends.empty()) {
    problems.add({file},
                 "there is no [frontends.NAME]; nothing would serve (`vernal run` needs none)");
  }
  for (const PluginInstance& instance : deployment_.frontends) {
    const plugin::PluginLibrary& library = registry_->open(instance.plugin, VERNAL_KIND_FRONTEND);
    try {
      if (!plugin::check_frontend(library.frontend(), config_view(instance.settings))) {
        unchecked_frontends_.push_back(instance.name);
      }
    } catch (const Error& error) {
      add_plugin_problem(instance, error.what(), problems);
    }
  }
}

std::unique_ptr<ResidentModel> OpenDeployment::plan_again(const ModelSettings& settings) {
  auto model = make_again(settings);
  plan_model(*model);
  return model;
}

std::vector<DeviceInfo> OpenDeployment::devices() {
  std::vector<DeviceInfo> out;
  for (const PluginInstance& instance : deployment_.backends) {
    const plugin::PluginLibrary& library = registry_->open(instance.plugin, VERNAL_KIND_BACKEND);
    std::ranges::move(plugin::BackendInstance::devices(library.backend()), std::back_inserter(out));
  }
  return out;
}

MemoryQuestion OpenDeployment::memory_question(std::span<const ResidentModel* const> models) {
  MemoryQuestion question;
  question.host = read_host_memory();
  question.devices = devices();
  if (assumed_device_memory_ != 0) {
    question.devices.clear();
    for (const ResidentModel* const model : models) {
      for (const MemoryRow& row : model->rows()) {
        DeviceInfo device;
        device.name = row.device;
        device.total_bytes = assumed_device_memory_;
        question.devices.push_back(std::move(device));
      }
    }
  }
  question.price = [this](const ModelSettings& settings) {
    auto model = make_again(settings);
    price(*model);
    return model->rows();
  };
  return question;
}

std::optional<MemoryShortage> OpenDeployment::find_shortage(
    std::span<const ResidentModel* const> models) {
  return find_memory_shortage(models, memory_question(models));
}

std::optional<std::uint64_t> OpenDeployment::find_largest_context(
    std::span<const ResidentModel* const> models, const ResidentModel& model) {
  return vernal::find_largest_context(models, model, memory_question(models));
}

std::vector<OpenDeployment::DeviceProblem> OpenDeployment::device_problems(
    std::span<const ResidentModel* const> models) const {
  std::vector<DeviceProblem> out;
  for (const PluginInstance& instance : deployment_.backends) {
    const bool is_used = std::ranges::any_of(models, [&](const ResidentModel* model) {
      return std::ranges::count(model->segments(), instance.name, &ModelSegment::backend) > 0;
    });
    if (!is_used) continue;
    if (auto reason = find_backend(instance.name)->device_problem()) {
      out.push_back({&instance, std::move(*reason)});
    }
  }
  return out;
}

std::vector<OpenDeployment::BackendText> OpenDeployment::describe_backends() const {
  std::vector<BackendText> out;
  for (const auto& backend : backends_) {
    std::string text = backend->description();
    if (!text.empty()) out.push_back({backend->name(), std::move(text)});
  }
  return out;
}

void OpenDeployment::require_devices(std::span<const ResidentModel* const> models) const {
  std::string text;
  for (const DeviceProblem& problem : device_problems(models)) {
    if (!text.empty()) text += "\n";
    text += fmt::format("{}: [backends.{}]: {}", problem.backend->place.text(),
                        problem.backend->name, problem.reason);
  }
  if (!text.empty()) throw Error(VERNAL_UNAVAILABLE, text);
}

void OpenDeployment::require_memory(std::span<const ResidentModel* const> models) {
  require_devices(models);
  for (const ResidentModel* model : models) {
    const std::string component = "model " + model->settings().name;
    if (!model->placement_text().empty()) log_.info(component, "{}", model->placement_text());
    for (const std::string& text : model->stream_texts()) log_.info(component, "{}", text);
  }
  if (const auto shortage = find_shortage(models)) {
    if (!deployment_.runtime.overcommit) {
      throw Error(VERNAL_RESOURCE_EXHAUSTED,
                  fmt::format("{}: {}", deployment_.file.string(), shortage->text()));
    }
    log_.warning("memory", "overcommit: {}", shortage->summary());
  } else {
    warn_if_crowded(models);
  }
  require_lockable(models, log_);
}

void OpenDeployment::warn_if_crowded(std::span<const ResidentModel* const> models) {
  const HostMemory host = read_host_memory();
  std::uint64_t needed = 0;
  for (const ResidentModel* model : models) needed += bytes_on(model->rows(), kHostDevice);
  if (host.free_bytes != 0 && needed > host.free_bytes) {
    log_.warning("memory",
                 "the plan needs {} of host memory, {} are free now: other processes hold the rest",
                 format_size(needed), format_size(host.free_bytes));
  }
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

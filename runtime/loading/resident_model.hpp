// A model of the deployment, step by step: described by its file's header, priced by its backend,
// loaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "engine/loaded_model.hpp"
#include "loading/gguf_weight_store.hpp"
#include "model/gguf_file.hpp"
#include "module/build_module.hpp"
#include "module/module_view.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/plugin_registry.hpp"

namespace vernal {

/// Told of the bytes loaded so far; false cancels the load.
using LoadProgress = std::function<bool(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// The control thread's side of a model: everything the engine's StepModel stands on. Steps:
///
///   ResidentModel model(settings, registry);  // header and module: nothing large is read
///   model.plan(backend);                      // priced
///   LoadedModel loaded = model.load(...);     // weights in place; `loaded` goes to the engine
///
/// Destroyed after the engine, and before the backend instance and the registry.
class ResidentModel {
 public:
  /// Opens the file, finds its architecture and builds the module.
  /// Errors  those of GgufFile::open, open_architecture and build_module, with the model's name.
  ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry);

  const ModelSettings& settings() const noexcept { return settings_; }
  const GgufFile& file() const noexcept { return *file_; }
  const Module& module() const noexcept { return *module_; }
  const std::string& architecture() const noexcept { return architecture_; }
  /// Hyperparameters as lines "name = value".
  const std::string& hyperparameters() const noexcept { return hyperparameters_; }
  /// Of one sequence: the deployment's, or the file's.
  std::uint64_t context_length() const noexcept { return context_length_; }
  /// What the file was trained for; 0 if it does not say.
  std::uint64_t trained_context_length() const noexcept { return trained_context_length_; }
  std::uint64_t kv_tokens() const noexcept;

  /// Prices the model on its backend, which outlives the object.
  /// Errors  those of BackendInstance::plan.
  void plan(const plugin::BackendInstance& backend);
  std::vector<MemoryRow> rows() const { return plan_->rows(); }
  vernal_plan_info plan_info() const { return plan_->info(); }

  /// Loads weights, vocabulary and template. After plan().
  LoadedModel load(const LoadProgress& progress);
  const plugin::BackendProgram& program() const { return *program_; }

 private:
  PlanOptions plan_options() const;
  void read_text_side(LoadedModel& out) const;

  ModelSettings settings_;
  std::unique_ptr<GgufFile> file_;
  std::string architecture_;
  std::string hyperparameters_;
  std::uint64_t context_length_ = 0;
  std::uint64_t trained_context_length_ = 0;
  std::shared_ptr<const Module> module_;
  std::unique_ptr<ModuleView> view_;
  std::unique_ptr<GgufWeightStore> weights_;
  std::optional<plugin::BackendPlan> plan_;
  std::optional<plugin::BackendProgram> program_;
};

}  // namespace vernal

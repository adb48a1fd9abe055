// A model of the deployment, step by step: described by its file's header, priced by its backend,
// loaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/deployment.hpp"
#include "engine/loaded_model.hpp"
#include "engine/memory_use.hpp"
#include "loading/gguf_weight_store.hpp"
#include "loading/segment_stream.hpp"
#include "loading/text_side.hpp"
#include "model/gguf_file.hpp"
#include "module/build_module.hpp"
#include "module/module_view.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/plugin_registry.hpp"

namespace vernal {

/// The part of a model that one backend runs: a range of its layers.
struct ModelSegment {
  std::string backend;     ///< name of its instance
  std::int64_t first = 0;  ///< layers, inclusive
  std::int64_t last = -1;  ///< -1: to the end
  std::shared_ptr<const Module> module;
  std::unique_ptr<ModuleView> view;
  std::unique_ptr<GgufWeightStore> weights;
  std::string rotation_refusal;  ///< why its plan does not rotate; empty: it does, or need not
  std::optional<SegmentStream> stream;  // nothing: it computes all products itself
  std::optional<plugin::BackendPlan> plan;
  std::optional<plugin::BackendProgram> program;
};

/// "layers 0 to 11 on cpu"
std::string layers_text(const ModelSegment& segment);

/// Is told how many bytes have been loaded. Returning false cancels the load.
using LoadProgress = std::function<bool(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

/// The control thread's side of a model: everything the engine's StepModel stands on. Steps:
///
///   ResidentModel model(settings, registry);  // header read, architecture plugin opened
///   model.build();                            // its modules: nothing large is read
///   model.plan(backends);                     // priced
///   LoadedModel loaded = model.load(...);     // weights in place; `loaded` goes to the engine
///
/// Destroyed after the engine, and before the backend instance and the registry.
class ResidentModel {
 public:
  /// Opens the file and the library of its architecture, of which nothing is called yet.
  /// Errors  those of GgufFile::open and open_architecture.
  ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry);
  /// The same with a file that is open already: settings.path.
  ResidentModel(const ModelSettings& settings, plugin::PluginRegistry& registry,
                std::shared_ptr<const GgufFile> file);

  const ModelSettings& settings() const noexcept { return settings_; }
  const GgufFile& file() const noexcept { return *file_; }
  std::shared_ptr<const GgufFile> shared_file() const noexcept { return file_; }
  /// In the order of their layers. At least one; their modules are there after build().
  const std::vector<ModelSegment>& segments() const noexcept { return segments_; }
  const std::string& architecture() const noexcept { return architecture_; }
  /// Name of the model by its file; may be empty.
  const std::string& description() const noexcept { return description_; }
  /// Hyperparameters as lines "name = value".
  const std::string& hyperparameters() const noexcept { return hyperparameters_; }
  /// Most positions of one sequence: the deployment's number, or the file's.
  std::uint64_t context_length() const noexcept { return context_length_; }
  /// What the file was trained for; 0 if it does not say.
  std::uint64_t trained_context_length() const noexcept { return trained_context_length_; }
  std::uint64_t kv_tokens() const noexcept;

  /// Layers that are computed, by the file. Those that only predict ahead do not count.
  /// Errors  NOT_FOUND: the file does not say
  std::int64_t num_layers() const;
  /// The first `num_host_layers` go to settings().fit->host_backend, the others to the backend. What
  /// was built and planned before is dropped.
  ///   why  for people, in remarks of the plan; may be empty
  void place(std::int64_t num_host_layers, std::string why);
  /// Where placement = "fit" put the layers, and why; empty: it was not asked for.
  const std::string& placement_text() const noexcept { return placement_text_; }

  /// Describes the model and builds the module of each segment. After the plugins are initialised.
  /// Errors  those of build_module; INVALID_ARGUMENT: the segments leave layers out.
  void build();
  /// Prices each segment on its backend. They outlive the object. Where the deployment does not say
  /// whether keys and values are rotated, a backend that refuses it plans without.
  /// Errors  those of BackendInstance::plan, with the segment's layers if there are several; those of
  ///         plan_streams
  void plan(std::span<const plugin::BackendInstance* const> backends);
  /// Whether plan() has been called for these segments.
  bool is_planned() const;
  /// Whose weights are streamed through which device, and when; a line for each segment. After plan().
  std::vector<std::string> stream_texts() const;
  /// In which points the plan differs from the deployment's defaults, for people. After plan().
  std::vector<std::string> remarks() const;
  /// Whether every backend of the model can time its operations. After load().
  bool times_operations() const;
  /// Begins or ends timing, with all times at zero. Engine thread, between steps.
  void set_timing(bool is_on);
  /// The times since then, over all segments. Engine thread, between steps.
  std::vector<plugin::OperationTime> operation_times() const;
  /// Whether every segment rotates the keys and values that are quantised; after plan().
  bool is_rotated() const;
  /// The memory table of all segments. If there are several, each object names its layers.
  std::vector<MemoryRow> rows() const;
  /// Sums over the segments.
  vernal_plan_info plan_info() const;
  /// What the plan says for each device, and what was allocated. After load(), and after the pools
  /// of its steps were made. Control thread, like everything here.
  std::vector<MemoryUse> memory_use() const;

  /// Reads vocabulary and chat template. After build(); before it, whether the module fits the
  /// vocabulary is not seen. Once read, they are kept.
  /// Errors  those of read_text_side and require_rows_for_tokens
  void read_text();
  /// After read_text(): memory that the vocabulary takes.
  std::uint64_t text_bytes() const { return text_->tokenizer->memory_bytes(); }
  /// After read_text(): what an operator should know of the text side.
  std::vector<std::string> text_warnings() const { return text_->warnings(); }

  /// Loads the weights, and vocabulary and template if they are not there. After plan().
  LoadedModel load(const LoadProgress& progress);
  /// What load() did otherwise than asked for, for people.
  const std::vector<std::string>& load_warnings() const noexcept { return load_warnings_; }

 private:
  PlanOptions plan_options() const;
  std::vector<std::string> functions_of(const ModelSegment& segment) const;
  std::vector<std::string> outputs_of(const ModelSegment& segment) const;
  void plan_segment(ModelSegment& segment, const plugin::BackendInstance& backend) const;
  std::unique_ptr<StepModel> make_steps();
  void ask_for_locks();
  void lock_weights_in_place();

  ModelSettings settings_;
  std::shared_ptr<const GgufFile> file_;  // shared with models that are priced otherwise
  std::string architecture_;
  std::string description_;
  std::string hyperparameters_;
  std::uint64_t context_length_ = 0;
  std::uint64_t trained_context_length_ = 0;
  ArchitecturePlugin plugin_;
  std::vector<ModelSegment> segments_;
  std::string placement_text_;
  std::vector<std::string> load_warnings_;
  std::unique_ptr<const TextSide> text_;
};

}  // namespace vernal

// What a deployment file says, as plain values. docs/deployment-file.md explains every key.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model_defaults.hpp"
#include "config/plugin_settings.hpp"
#include "config/source_place.hpp"
#include "text/request/sampling_options.hpp"

namespace vernal {

/// [runtime]
struct RuntimeSettings {
  /// Absolute. They are searched before the installed folder.
  std::vector<std::filesystem::path> plugin_paths;
  std::string log_level = "info";   // trace | debug | info | warning | error | off
  std::string log_format = "text";  // text | json
  bool require_secure_paths = false;
  bool overcommit = false;                  // load models although the plan exceeds the memory
  std::uint64_t drain_timeout_ms = 30'000;  // how long requests may go on after SIGTERM
};

/// [backends.NAME], [frontends.NAME]
struct PluginInstance {
  std::string name;    // of the table
  std::string plugin;  // name in the plugin's manifest
  SourcePlace place;
  PluginSettings settings;  // the keys that the plugin itself defines
};

/// kv_cache = { keys = "q8_0", values = "q8_0", rotate = true }
struct KvCacheSettings {
  std::string keys = "f16";
  std::string values = "f16";
  /// Rotate quantised keys and values. Default: on if the backend supports it.
  std::optional<bool> rotate;

  /// Whether a format stores codes with a common scale. Rotation makes such formats more exact.
  static bool is_quantised(std::string_view format) {
    return format != "f32" && format != "f16" && format != "bf16";
  }
  bool is_rotated() const {
    return rotate.value_or(true) && (is_quantised(keys) || is_quantised(values));
  }
};

/// One element of layers = [...]; bounds are inclusive.
struct LayerRange {
  std::string backend;
  std::int64_t first = 0;
  std::int64_t last = 0;
  SourcePlace place;
};

/// placement = "fit": as many of the first layers as its memory lacks room for leave the backend.
struct LayerFit {
  std::string host_backend;  // computes them
  SourcePlace place;
};

/// [models.NAME]
struct ModelSettings {
  std::string name;
  SourcePlace place;
  std::filesystem::path path;  // absolute
  SourcePlace path_place;
  std::vector<LayerRange> layers;    // one range with last = -1 for `backend = "..."`
  std::optional<LayerFit> fit;       // then `layers` is the one range that they leave
  std::uint64_t context_length = 0;  // 0: the file's
  std::uint64_t slots = kDefaultSlots;
  std::uint64_t rows = 0;  // of logits in a step, 0: slots. No key: for commands that score a text
  std::uint64_t scored_rows = 1;  // tokens of a prompt whose log-probabilities a step computes
  std::uint64_t kv_tokens = 0;    // 0: slots x context_length
  std::uint64_t max_checkpoints = kDefaultMaxCheckpoints;  // of a model that cannot be cut anywhere
  std::uint64_t max_tokens_per_step = kDefaultMaxTokensPerStep;
  // of a step while somebody's answer is written, 0: any
  std::uint64_t max_step_time_ms = std::chrono::milliseconds(kDefaultMaxStepTime).count();
  // Least tokens of a step for which weights of layers in host memory are streamed through a device,
  // 0: never; nothing: kDefaultStreamWeights, where it can be done.
  std::optional<std::uint64_t> stream_weights;
  std::uint64_t max_queue = kDefaultMaxQueue;  // requests that wait for a slot
  // a client that does not read, a backend that does not answer
  std::uint64_t stall_timeout_ms = std::chrono::milliseconds(kDefaultStallTimeout).count();
  std::uint64_t step_timeout_ms = std::chrono::milliseconds(kDefaultStepTimeout).count();
  KvCacheSettings kv_cache;
  std::vector<std::string> host_tensors;
  std::string lock_memory = "never";             // never | preferred | required
  std::string architecture;                      // empty: by the file's metadata
  std::string chat_template = "file";            // file | file:NAME | none | absolute path
  std::string tool_syntax = "auto";              // auto | a family of answer_families()
  SamplingOptions sampling;                      // defaults, used where a request says nothing
  std::string thinking = "auto";                 // auto | on | off
  std::string pooling = "none";                  // none | last | mean
  std::string draft = "none";                    // none | ngram | mtp
  std::uint64_t max_draft_tokens = 8;            // guessed for one sequence in a step
  std::string repair_messages = "when_refused";  // when_refused | always | never
  std::string late_system = "user";              // user | first
  std::vector<std::string> aliases;              // more names that clients may use
  SourcePlace aliases_place;
};

/// [profiles.NAME]: another name for a model, with defaults of its own.
struct ProfileSettings {
  std::string name;
  SourcePlace place;
  std::string model;
  SourcePlace model_place;
  SamplingOptions sampling;
  std::string thinking = "auto";
  std::optional<std::uint64_t> max_draft_tokens;  // at most the model's
  std::vector<std::string> aliases;
  SourcePlace aliases_place;
};

/// A whole file. Tables are in the order of the file.
struct Deployment {
  std::filesystem::path file;
  RuntimeSettings runtime;
  std::vector<PluginInstance> backends;
  std::vector<ModelSettings> models;
  std::vector<ProfileSettings> profiles;
  std::vector<PluginInstance> frontends;
};

/// Knows the configuration keys of plugins.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  /// The keys of the plugin of that name and kind (VERNAL_KIND_*).
  /// Errors  why the plugin cannot be used; it is reported at the table's `plugin` key
  virtual std::vector<SchemaRow> schema(const std::string& plugin, std::uint32_t kind) = 0;
  /// Names of the plugins of a kind, for suggestions.
  virtual std::vector<std::string> names(std::uint32_t kind) = 0;
};

/// Called after [runtime] was read, because that table says where plugins are.
using SchemaSourceFactory = std::unique_ptr<SchemaSource>(const RuntimeSettings& runtime);

/// Reads and validates a deployment file: syntax, keys, types, ranges, references between tables,
/// files that must exist, and every plugin's own table. Throws one Error with all problems, a line
/// each: `file:line:column: what, what was expected, did you mean`.
Deployment read_deployment(const std::filesystem::path& file,
                           const std::function<SchemaSourceFactory>& make_schemas);

/// Makes the table of a frontend that is in no file: plugin = `plugin`, model = `model`, and
/// defaults for the rest.
/// Errors  as read_deployment
PluginInstance make_frontend(const Deployment& deployment, const std::string& name,
                             const std::string& plugin, const std::string& model,
                             SchemaSource& schemas);

/// The same for text in memory. Relative paths start in the folder of `file`.
Deployment parse_deployment(std::string_view text, const std::filesystem::path& file,
                            const std::function<SchemaSourceFactory>& make_schemas);

}  // namespace vernal

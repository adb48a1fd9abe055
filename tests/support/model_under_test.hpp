// Runs a model file on a real backend plugin, without engine and tokenizer: from token ids to
// logits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/plugin_settings.hpp"
#include "loading/gguf_weight_store.hpp"
#include "model/gguf_file.hpp"
#include "module/module_view.hpp"
#include "observe/log.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/core_host.hpp"
#include "plugin/plugin_registry.hpp"

namespace vernal::test {

struct ModelOptions {
  std::string backend = "reference";           // name of the plugin
  const vernal_backend_api* linked = nullptr;  // instead: a backend that is part of the test
  std::string keys = "f32";
  std::string values = "f32";
  bool rotate = false;       // rotates quantised keys and values
  std::int64_t threads = 0;  // 0: the backend's default
  std::string isa = {};      // of cpu_avx2; empty: the best
  bool fuses_nodes = true;   // false: cuda_sm86 launches each operation by itself
  std::uint64_t context_length = 1024;
  std::uint64_t max_sequences = 4;
  std::uint64_t max_tokens_per_step = 512;
  std::uint64_t rollback_depth = 0;
  std::uint64_t max_checkpoints = 4;
  std::vector<std::string> functions = {};  // in addition to "main"
};

/// One part of a step: the next tokens of a sequence. The logits of all of them are wanted.
struct Part {
  vernal_sequence_id sequence;
  std::vector<std::int32_t> tokens;
};

/// The results of a step of one sequence, for each of its tokens.
struct Answer {
  std::vector<float> logits;  // [tokens x vocabulary]
  std::vector<float> hidden;  // [tokens x width]
};

/// Loads plugins from VERNAL_PLUGIN_DIR. Throws vernal::Error if one is missing.
class ModelUnderTest {
 public:
  ModelUnderTest(const std::filesystem::path& file, const ModelOptions& options);

  const plugin::BackendPlan& plan() const { return *plan_; }
  const plugin::BackendProgram& program() const { return *program_; }
  plugin::BackendPool& pool() { return *pool_; }
  const Module& module() const { return *module_; }
  std::uint64_t vocabulary_size() const { return vocabulary_size_; }

  /// Makes a sequence with room for `num_tokens`.
  vernal_sequence_id sequence(std::uint64_t num_tokens);
  /// Runs one step. Returns the logits of every token, by part: [tokens, vocabulary].
  std::vector<std::vector<float>> step(const std::vector<Part>& parts);
  /// Puts a step in and does not wait for it.
  plugin::BackendStep start(const std::vector<Part>& parts);
  /// Feeds `tokens` in steps and returns the logits of every token. Steps end at positions that are
  /// multiples of `chunk`; with chunk 0 there is one step.
  std::vector<float> feed(vernal_sequence_id sequence, std::span<const std::int32_t> tokens,
                          std::uint64_t chunk);

  /// Runs one step of one sequence in a function that gives logits and hidden. `hidden` is the
  /// function's input of that name, if it has one.
  Answer answer(std::uint64_t function, const Part& part, std::span<const float> hidden = {});

 private:
  plugin::BackendStep start(std::uint64_t function, const std::vector<Part>& parts,
                            std::span<const float> hidden,
                            std::span<const std::string_view> outputs);
  /// Runs a step and waits until it is finished.
  plugin::BackendStep run(std::uint64_t function, const std::vector<Part>& parts,
                          std::span<const float> hidden, std::span<const std::string_view> outputs);

  Log log_;
  plugin::CoreHost host_;
  plugin::PluginRegistry registry_;
  PluginSettings settings_;
  std::unique_ptr<GgufFile> file_;
  std::shared_ptr<const Module> module_;
  std::unique_ptr<ModuleView> view_;
  std::unique_ptr<GgufWeightStore> weights_;
  std::optional<plugin::BackendInstance> backend_;
  std::optional<plugin::BackendPlan> plan_;
  std::optional<plugin::BackendProgram> program_;
  std::optional<plugin::BackendPool> pool_;
  std::uint64_t vocabulary_size_ = 0;
};

/// sum((x - r)^2) / sum(r^2). Infinite if a number of them is none.
double nmse(std::span<const float> found, std::span<const float> reference);

}  // namespace vernal::test

#include "support/model_under_test.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "loading/step_functions.hpp"
#include "module/build_module.hpp"
#include "module/gguf_source.hpp"
#include "vernal/error.hpp"
#include "vernal/host.hpp"

namespace vernal::test {
namespace {

std::shared_ptr<const Module> build(const GgufFile& file, plugin::PluginRegistry& registry,
                                    const ModelOptions& options) {
  const GgufMetadataSource metadata(file);
  const GgufWeightDirectory directory(file);
  plugin::PluginLibrary& library =
      registry.open_architecture(file.metadata().require_string("general.architecture"));
  registry.init_all();
  const ArchitecturePlugin architecture{library.name(), library.architecture(),
                                        [] { return plugin_host().last_error(); }};
  return build_module(architecture, {metadata, directory},
                      {.context_length = options.context_length, .functions = options.functions})
      .module;
}

}  // namespace

ModelUnderTest::ModelUnderTest(const std::filesystem::path& file, const ModelOptions& options)
    : log_(LogLevel::kWarning),
      host_(log_),
      registry_(host_, {VERNAL_PLUGIN_DIR}),
      file_(std::make_unique<GgufFile>(GgufFile::open(file))),
      module_(build(*file_, registry_, options)),
      view_(std::make_unique<ModuleView>(module_)),
      weights_(std::make_unique<GgufWeightStore>(*file_, *module_)) {
  const plugin::PluginLibrary* const library =
      options.linked == nullptr ? &registry_.open(options.backend, VERNAL_KIND_BACKEND) : nullptr;
  registry_.init_all();
  settings_.table = "backends.test";
  if (options.threads > 0)
    settings_.entries["threads"] = {VERNAL_CONFIG_INT, options.threads, "test"};
  if (!options.isa.empty()) settings_.entries["isa"] = {VERNAL_CONFIG_ENUM, options.isa, "test"};
  if (!options.fuses_nodes) settings_.entries["fuse_nodes"] = {VERNAL_CONFIG_BOOL, false, "test"};
  backend_.emplace(library == nullptr ? *options.linked : library->backend(), "test",
                   config_view(settings_));
  PlanOptions plan;
  plan.context_length = options.context_length;
  plan.max_tokens_per_step = options.max_tokens_per_step;
  plan.max_rows = options.max_tokens_per_step;
  plan.max_sequences = options.max_sequences;
  plan.kv_tokens = options.context_length * options.max_sequences;
  plan.kv_keys_format = options.keys;
  plan.kv_values_format = options.values;
  plan.kv_rotate = options.rotate;
  plan.rollback_depth = options.rollback_depth;
  plan.max_checkpoints = options.max_checkpoints;
  plan_.emplace(backend_->plan(view_->ref(), plan));
  program_.emplace(plan_->build(*weights_, {}));
  pool_.emplace(program_->create_pool());
  vocabulary_size_ = main_function(*module_).logits_columns;
}

vernal_sequence_id ModelUnderTest::sequence(std::uint64_t num_tokens) {
  const auto id = pool_->seq_create();
  if (!id || !pool_->seq_reserve(*id, num_tokens)) {
    throw Error(VERNAL_RESOURCE_EXHAUSTED, "the pool has no room for the test's sequence");
  }
  return *id;
}

plugin::BackendStep ModelUnderTest::start(std::uint64_t function, const std::vector<Part>& parts,
                                          std::span<const float> hidden,
                                          std::span<const std::string_view> outputs) {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> positions;
  std::vector<StepSequence> sequences;
  for (const Part& part : parts) {
    const std::uint64_t first = pool_->seq_length(part.sequence, function);
    sequences.push_back({part.sequence, ids.size(), part.tokens.size(), first});
    for (std::size_t i = 0; i < part.tokens.size(); ++i) {
      ids.push_back(part.tokens[i]);
      positions.push_back(static_cast<std::int32_t>(first + i));
    }
  }
  std::vector<std::int32_t> rows(ids.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<plugin::StepInput> inputs{
      plugin::StepInput::host<std::int32_t>("ids", ids),
      plugin::StepInput::host<std::int32_t>("positions", positions)};
  if (!hidden.empty()) inputs.push_back(plugin::StepInput::host<float>("hidden", hidden));
  return pool_->submit({function, ids.size(), sequences, rows, inputs, outputs});
}

plugin::BackendStep ModelUnderTest::start(const std::vector<Part>& parts) {
  constexpr std::array<std::string_view, 1> kOutputs{"logits"};
  return start(0, parts, {}, kOutputs);
}

plugin::BackendStep ModelUnderTest::run(std::uint64_t function, const std::vector<Part>& parts,
                                        std::span<const float> hidden,
                                        std::span<const std::string_view> outputs) {
  plugin::BackendStep step = start(function, parts, hidden, outputs);
  if (!step.wait(0)) throw Error(VERNAL_DEADLINE, "the step did not finish");
  return step;
}

std::vector<std::vector<float>> ModelUnderTest::step(const std::vector<Part>& parts) {
  constexpr std::array<std::string_view, 1> kOutputs{"logits"};
  plugin::BackendStep step = run(0, parts, {}, kOutputs);
  std::size_t num_rows = 0;
  for (const Part& part : parts) num_rows += part.tokens.size();
  const StepOutput logits = step.output("logits", num_rows, vocabulary_size_);
  std::vector<std::vector<float>> out;
  const float* next = logits.data;
  for (const Part& part : parts) {
    const std::size_t size = part.tokens.size() * vocabulary_size_;
    out.emplace_back(next, next + size);
    next += size;
  }
  return out;
}

Answer ModelUnderTest::answer(std::uint64_t function, const Part& part,
                              std::span<const float> hidden) {
  constexpr std::array<std::string_view, 2> kOutputs{"logits", "hidden"};
  plugin::BackendStep step = run(function, {part}, hidden, kOutputs);
  const auto floats = [&](std::string_view name, std::uint64_t columns) {
    const StepOutput output = step.output(name, part.tokens.size(), columns);
    return std::vector<float>(output.data, output.data + output.rows * output.columns);
  };
  return {floats("logits", vocabulary_size_), floats("hidden", 0)};
}

std::vector<float> ModelUnderTest::feed(vernal_sequence_id sequence,
                                        std::span<const std::int32_t> tokens, std::uint64_t chunk) {
  std::vector<float> out;
  std::uint64_t position = pool_->seq_length(sequence, 0);
  std::size_t done = 0;
  while (done < tokens.size()) {
    std::uint64_t size = tokens.size() - done;
    if (chunk != 0) size = std::min(size, chunk - position % chunk);
    const auto part = tokens.subspan(done, size);
    const auto logits = step({{sequence, {part.begin(), part.end()}}});
    out.insert(out.end(), logits[0].begin(), logits[0].end());
    done += size;
    position += size;
  }
  return out;
}

double nmse(std::span<const float> found, std::span<const float> reference) {
  double error = 0;
  double power = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double difference = static_cast<double>(found[i]) - static_cast<double>(reference[i]);
    error += difference * difference;
    power += static_cast<double>(reference[i]) * static_cast<double>(reference[i]);
  }
  // So that it is never among the small ones: std::max(x, NaN) is x.
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error / power;
}

}  // namespace vernal::test
